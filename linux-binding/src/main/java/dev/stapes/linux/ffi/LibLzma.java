package dev.stapes.linux.ffi;

import jnr.ffi.Pointer;

/**
 * Functions of liblzma under their C names and with their C arguments; no logic. Read {@code
 * lzma/base.h} and {@code lzma/container.h}. A structure is memory with the offsets of {@link
 * Lzma}; see {@link LibC} for everything else. All are in every liblzma since 5.0.
 */
public interface LibLzma {

  String lzma_version_string();

  int lzma_stream_decoder(Pointer strm, long memlimit, int flags);

  int lzma_alone_decoder(Pointer strm, long memlimit);

  int lzma_code(Pointer strm, int action);

  long lzma_memusage(Pointer strm);

  int lzma_get_check(Pointer strm);

  void lzma_end(Pointer strm);
}
