"""Heights of mountains."""
