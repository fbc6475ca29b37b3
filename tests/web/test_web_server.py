"""Where a local server listens."""

import pytest

from reverie.part.errors import ConfigError
from reverie.web import server


def test_the_next_port_is_taken():
    first, port = server.listen("127.0.0.1", 0)
    second, other = server.listen("127.0.0.1", port)
    assert port < other < port + server.TRIES
    for made in (first, second):
        made.close()
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1 cannot be listened at"):
        server.listen("192.0.2.1", 0)
    assert server.address("0.0.0.0", 80, "t") == "http://127.0.0.1:80/?token=t"
    assert server.address("::1", 80, "") == "http://[::1]:80/"
