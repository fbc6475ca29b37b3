"""The circle: collect, store, draw, learn, watch, save."""
