import platform

import numpy as np
import pandas as pd

frame = pd.DataFrame({"x": np.arange(1, 6), "y": np.arange(1, 6) ** 2})
print(frame.describe().loc[["mean", "max"]].to_string())
print("machine:", platform.machine())
