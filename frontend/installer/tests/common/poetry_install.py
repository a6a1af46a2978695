"""Installs wheels with the code of Poetry: poetry_install.py ENVIRONMENT WHEEL..."""

import sys
from pathlib import Path

from poetry.installation.wheel_installer import WheelInstaller
from poetry.utils.env import VirtualEnv

installer = WheelInstaller(VirtualEnv(Path(sys.argv[1])))
for wheel in sys.argv[2:]:
    installer.install(Path(wheel))
