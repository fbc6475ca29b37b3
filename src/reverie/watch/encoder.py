"""How ffmpeg is asked for an H.264 film that browsers play."""

SHORT_SIDE = 256
"""Pixels that the shorter side of a film has at least: smaller pictures are enlarged."""


def program() -> list[str]:
    """The encoder, which overwrites and says errors only."""
    import imageio_ffmpeg

    return [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]


def arguments(height: int, width: int, fps: float) -> list[str]:
    """Its options, the file to write left out, for RGB frames on its standard input."""
    frames = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    return [*frames, "-i", "-", *_encoding(max(1, -(-SHORT_SIDE // min(height, width))))]


def _encoding(factor: int) -> list[str]:
    """Options of ffmpeg: enlarge by `factor`, make sides even, H.264 with the index in front."""
    filters = (
        f"scale=iw*{factor}:ih*{factor}:flags=neighbor:out_color_matrix=bt709:out_range=tv,"
        "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    )
    options = ["-vf", filters, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18"]
    options += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
    return [*options, "-preset", "veryfast", "-movflags", "+faststart", "-f", "mp4"]
