"""What every local page of Reverie needs: a server that answers only its own page.

guard.py   who may ask
server.py  what is answered, where it listens
errors.py  what is answered in its own way
show.py    from --host and --port to a page that is served
"""
