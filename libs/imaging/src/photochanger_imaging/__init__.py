"""What media and providers both need to know about picture bytes. No I/O, no service, nothing at import.

- `formats`: the three formats, by media type and by content; `info`: header facts and pixel limits
- `probe`: header facts from the first bytes, refusals before anything is decoded
- `scrub`: metadata out, pixels untouched, as a stream; `upright`: written anew the way up it is seen
- `encode`: another format, a smaller file, a preview
- `check`: is a result worth giving out
- `errors`: the reasons

Everything is synchronous. All but `probe` and `scrub` take tens to hundreds of milliseconds of one core: call
them on a bounded thread pool. Pillow releases the GIL while it decodes and encodes.
"""
