"""Drawing random scenes."""
