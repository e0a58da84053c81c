"""The corpus generator of the demo model: stories and instructions, all from our own words and a seed."""
