"""Before the stations: arrays in, arrays out."""
