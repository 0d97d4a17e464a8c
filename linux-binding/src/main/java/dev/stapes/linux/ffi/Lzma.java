package dev.stapes.linux.ffi;

/**
 * Numbers of {@code lzma/base.h} and {@code lzma/container.h}, under their names and, for offsets,
 * as in {@link Layout}. A test compares them with the headers.
 */
public final class Lzma {
  // lzma_ret
  public static final int LZMA_OK = 0;
  public static final int LZMA_STREAM_END = 1;
  public static final int LZMA_UNSUPPORTED_CHECK = 3;
  public static final int LZMA_MEM_ERROR = 5;
  public static final int LZMA_MEMLIMIT_ERROR = 6;
  public static final int LZMA_FORMAT_ERROR = 7;
  public static final int LZMA_OPTIONS_ERROR = 8;
  public static final int LZMA_DATA_ERROR = 9;
  public static final int LZMA_BUF_ERROR = 10;
  public static final int LZMA_PROG_ERROR = 11;

  // lzma_action
  public static final int LZMA_RUN = 0;
  public static final int LZMA_FINISH = 3;

  // flags of decoders
  public static final int LZMA_TELL_UNSUPPORTED_CHECK = 0x02;
  public static final int LZMA_CONCATENATED = 0x08;

  public static final int lzma_stream_SIZEOF = 136;
  public static final int lzma_stream_next_in = 0;
  public static final int lzma_stream_avail_in = 8;
  public static final int lzma_stream_next_out = 24;
  public static final int lzma_stream_avail_out = 32;

  private Lzma() {}
}
