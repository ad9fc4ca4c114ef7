"""An AI data flywheel. Read the folders from top to bottom: that is the loop."""
