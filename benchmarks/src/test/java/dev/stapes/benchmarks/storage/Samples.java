package dev.stapes.benchmarks.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Results for tests. */
final class Samples {
  private Samples() {}

  static Measurement of(StoragePath path, int at, String subject, long... micros) {
    long[] nanos = new long[micros.length];
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = micros[i] * 1000;
    }
    return Measurement.of(new Point(path, at), subject, nanos, 1_000_000);
  }

  /** A bit of everything, with subjects of these names, three at least. */
  static Results results(boolean interrupted, String... subjects) {
    List<Measurement> all = new ArrayList<>();
    for (int i = 0; i < subjects.length; i++) {
      all.add(of(StoragePath.CREATE, 0, subjects[i], 200L + i, 300, 250));
      all.add(of(StoragePath.SNAPSHOT, 1, subjects[i], 100, 90, 110));
      all.add(of(StoragePath.SNAPSHOT, 10_000, subjects[i], 100L << (3 * i), 9_000, 110));
      all.add(of(StoragePath.RANDOM_READ, 0, subjects[i], 10_000, 20_000));
    }
    return new Results(
        7,
        interrupted,
        Map.of("Machine", "<fast> & \"new\""),
        List.of(subjects),
        all,
        Map.of(subjects[0] + " on send", "no streams"),
        Map.of(subjects[1] + " on clone", "exit code 1: <nothing>\u0007"));
  }
}
