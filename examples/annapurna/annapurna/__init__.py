"""Heights of mountains, over HTTP."""
