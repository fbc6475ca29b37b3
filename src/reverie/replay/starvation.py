"""How many draws "new windows first" would take, known before the first step."""


def fresh_share(*, batch: int, length: int, ratio: float, streams: int) -> float:
    """Share of all draws that windows with an unseen row take if they always go first.

        f = min(1, E · H(m) / B) for m ≥ 1,  min(1, T / R) for m ≤ 1,   m = B T / (R E)

    m rows arrive in every stream between two updates; clearing them takes H(m) draws (harmonic
    number) from among the windows that end with one of them. At f = 1 nothing else is ever drawn.

    Args:
        batch: sequences B an update.
        length: trained rows T of a sequence.
        ratio: train ratio R, replayed rows per environment step, above 0.
        streams: environments E.

    Source: replay-sampling.md §3.1, measured there.
    """
    new = batch * length / (ratio * streams)
    if new <= 1:
        return min(1.0, length / ratio)
    return min(1.0, streams * harmonic(new) / batch)


def harmonic(number: float) -> float:
    """1 + 1/2 + … + 1/n, linear between whole numbers."""
    whole = int(number)
    total = sum(1.0 / k for k in range(1, whole + 1))
    return total + (number - whole) / (whole + 1)
