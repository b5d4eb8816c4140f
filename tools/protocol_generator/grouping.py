"""Which generated source a message goes to. A request and its response share one, so that touching an API rebuilds
one source; the hash keeps every other message where it was when one is added."""

import zlib

GROUP_COUNT = 28


def group_of(file_stem: str) -> int:
    stem = file_stem.removesuffix("_request").removesuffix("_response")
    return zlib.crc32(stem.encode()) % GROUP_COUNT
