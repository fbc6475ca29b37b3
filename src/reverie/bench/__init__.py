"""Measurements that are meant to be repeated."""
