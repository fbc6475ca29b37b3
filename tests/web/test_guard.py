"""Who may ask a local server."""

from reverie.web.guard import Guard, is_loopback


def test_a_token_where_others_can_reach_the_server():
    guard = Guard("0.0.0.0", "secret")
    host = {"host": "192.0.2.7:8765"}
    assert guard.refusal(host, "GET", {"token": "secret"}) is None
    for query in ({}, {"token": "secre"}, {"token": "sécret"}):
        assert guard.refusal(host, "GET", query).status == 403
    posted = host | {"content-type": "application/json", "content-length": "2"}
    assert guard.refusal(posted, "POST", {"token": "secret"}).status == 403
    assert guard.refusal(posted | {"x-reverie-token": "secret"}, "POST", {}) is None
    assert guard.refusal({"host": "rebound.example"}, "GET", {"token": "secret"}).status == 421
    assert Guard("127.0.0.1").refusal(host, "GET", {}).status == 421
    assert Guard("127.0.0.1").refusal({"host": "[::1]:9"}, "GET", {}) is None
    assert [is_loopback(h) for h in ("localhost", "127.9.9.9", "::1", "0.0.0.0", "host")] == [
        *(True, True, True, False, False)
    ]
