package dev.stapes.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * Files that look to a compressor like those of a system: text of few words, and records with much
 * in common. The same arguments always give the same files.
 */
public final class SampleTree {
  /** In a directory. */
  static final int FILES_PER_DIRECTORY = 50;

  private static final int SEED = 20_231;
  private static final int WORDS = 6_000;
  private static final int LONGEST_WORD = 12;
  private static final int RECORD = 24;

  private final Random random;
  private final byte[][] words = new byte[WORDS][];

  private SampleTree(long seed) {
    random = new Random(seed);
    for (int i = 0; i < WORDS; i++) {
      byte[] word = new byte[2 + random.nextInt(LONGEST_WORD)];
      for (int j = 0; j < word.length - 1; j++) {
        word[j] = (byte) ('a' + Math.min(random.nextInt(26), random.nextInt(26)));
      }
      word[word.length - 1] = ' ';
      words[i] = word;
    }
  }

  /**
   * Makes them.
   *
   * @param directory gets a directory for each {@link #FILES_PER_DIRECTORY} files
   * @param files how many
   * @param bytes of all together; the largest is three times as large as the smallest
   */
  public static void make(Path directory, int files, int bytes) throws IOException {
    make(directory, files, bytes, SEED);
  }

  /** The same with other content. */
  public static void make(Path directory, int files, int bytes, long seed) throws IOException {
    SampleTree sample = new SampleTree(seed);
    int left = bytes;
    for (int i = 0; i < files; i++) {
      Path below = directory.resolve("d" + i / FILES_PER_DIRECTORY);
      Files.createDirectories(below);
      int mean = left / (files - i);
      int size = i == files - 1 ? left : mean / 2 + sample.random.nextInt(mean + 1);
      left -= size;
      Files.write(
          below.resolve("file-" + i), i % 2 == 0 ? sample.text(size) : sample.records(size));
    }
  }

  /** Words, the first ones more often. */
  private byte[] text(int size) {
    byte[] text = new byte[size];
    int done = 0;
    while (done < size) {
      double skewed = Math.pow(random.nextDouble(), 3);
      byte[] word = words[(int) (skewed * WORDS)];
      int step = Math.min(word.length, size - done);
      System.arraycopy(word, 0, text, done, step);
      done += step;
    }
    return text;
  }

  /** A head in common, a number that counts, and a sixth of noise. */
  private byte[] records(int size) {
    byte[] head = "\u007fREC\0\0\1\0".getBytes(StandardCharsets.ISO_8859_1);
    byte[] noise = new byte[RECORD / 6];
    byte[] records = new byte[size];
    for (int at = 0; at < size; at += RECORD) {
      random.nextBytes(noise);
      for (int i = at; i < Math.min(size, at + RECORD); i++) {
        int place = i - at;
        if (place < head.length) {
          records[i] = head[place];
        } else if (place < head.length + noise.length) {
          records[i] = noise[place - head.length];
        } else {
          records[i] = (byte) ((at / RECORD) >> (8 * (place % 2)));
        }
      }
    }
    return records;
  }
}
