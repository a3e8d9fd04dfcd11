"""Which file formats are read, and what to say about others.

Formats that name other files or addresses to read, such as playlists and concat scripts, are left out: a file with the
name of a video must not make the program read anything else.
"""

from pathlib import Path

_CONTAINERS = (
    "3dostr 4xm asf avi dhav dv dxa ea film_cpk flic flv gdv gif gxf idcin ipmovie iv8 ivf ivr kux live_flv lmlm4 "
    "matroska mjpeg_2000 mlv mm mov mpeg mpegts mpegtsraw mpegvideo mtv mv mxf mxg nsv nut nuv ogg pmp pva r3d rl2 rm "
    "roq rpl smjpeg smk swf thp tmv ty vivo vmd webm wtv yop yuv4mpegpipe jpegxl_anim"
)
RAW = frozenset(
    [
        "av1",
        "obu",
        "avs2",
        "avs3",
        "cavsvideo",
        "dirac",
        "dnxhd",
        "evc",
        "h261",
        "h263",
        "h264",
        "hevc",
        "ingenient",
        "m4v",
        "mjpeg",
        "vc1",
        "vvc",
    ]
)
"""Streams without a container, which state no times."""
_SOUND = "aac ac3 aiff amr ape caf dts eac3 flac mp3 tta w64 wav wv"  # so that the message can say what they are
_PICTURES = (
    "bmp_pipe dds_pipe dpx_pipe exr_pipe gif_pipe hdr_pipe ico image2 image2pipe j2k_pipe jpeg_pipe jpegls_pipe "
    "jpegxl_pipe pam_pipe pbm_pipe pcx_pipe pgm_pipe pgmyuv_pipe png_pipe ppm_pipe psd_pipe qoi_pipe sgi_pipe "
    "sunrast_pipe tiff_pipe webp_pipe xbm_pipe xpm_pipe"
)
ALLOWED = ",".join([*_CONTAINERS.split(), *sorted(RAW), *_SOUND.split(), *_PICTURES.split()])
"""FFmpeg's names of all formats that are read, for ``format_whitelist``."""

_TEXTS = {
    b"#EXTM3U": "is a playlist (m3u8)",
    b"ffconcat version": "is a list of files to join (a concat script)",
    b"file ": "is a list of files to join (a concat script)",
    b"[playlist]": "is a playlist",
    b"<MPD": "is a manifest of a stream (DASH)",
    b"v=0": "describes a network stream (SDP)",
}
_SNIFFED = 4096
_PRINTABLE_SHARE = 0.95


def refused_text(path: Path) -> str | None:
    """What a text file is that cannot be read as a video; None if it is not text."""
    with path.open("rb") as file:
        start = file.read(_SNIFFED)
    if sum(byte in b"\t\n\r" or 32 <= byte < 127 or byte >= 160 for byte in start) < _PRINTABLE_SHARE * len(start):
        return None
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, kind in _TEXTS.items():
        if text.startswith(beginning) or (beginning.startswith(b"<") and beginning in text):
            return f"{kind}, not a video. Give the video itself; ffmpeg can make one of it."
    return "is a text file, not a video."
