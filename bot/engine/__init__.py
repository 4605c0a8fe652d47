"""The job engine: loops of steps. A step claims one row, asks the world, decides, writes."""
