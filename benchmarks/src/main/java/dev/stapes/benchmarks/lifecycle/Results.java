package dev.stapes.benchmarks.lifecycle;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.stapes.benchmarks.Row;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a run found out.
 *
 * @param facts machine, versions and the like, in order
 * @param rows isolated runs
 * @param serial cycles without a pause
 * @param throughput cycles from several threads
 * @param memory per running container
 * @param missing peers that could not be had, with the reason
 * @param leftOut paths that a subject does not have, with the reason, as "subject on path"
 * @param failures what failed, with the reason
 */
record Results(
    Map<String, String> facts,
    List<Row> rows,
    @JsonProperty("back_to_back") List<BackToBack.Serial> serial,
    List<BackToBack.Throughput> throughput,
    List<Memory.Cost> memory,
    Map<String, String> missing,
    @JsonProperty("left_out") Map<String, String> leftOut,
    Map<String, String> failures) {

  /** The median of a subject on a path, in milliseconds. */
  Optional<Double> median(LifecyclePath path, String subject) {
    return row(path, subject).map(Row::medianMs);
  }

  /** The row of a subject on a path. */
  Optional<Row> row(LifecyclePath path, String subject) {
    return rows.stream()
        .filter(row -> row.path().equals(path.label()) && row.subject().equals(subject))
        .findFirst();
  }
}
