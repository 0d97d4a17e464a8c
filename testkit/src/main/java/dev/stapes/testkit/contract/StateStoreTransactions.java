package dev.stapes.testkit.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.StateStore;
import dev.stapes.spi.StateStore.Entry;
import dev.stapes.spi.StateStore.Transaction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Keys, ranges, transactions and their limits. */
abstract class StateStoreTransactions extends StateStoreFixture {
  private static final int MAX_VALUE = 1 << 20;

  @Test
  void a_new_store_is_empty_at_revision_0() {
    assertEquals(0, store().revision());
    assertEquals(List.of(), store().prefix(""));
    assertEquals(Optional.empty(), store().get("a"));
  }

  @Test
  void each_commit_makes_the_next_revision() {
    assertEquals(1, put("a", "1"));
    assertEquals(2, put("b", "1"));
    assertEquals(3, remove("a"));
    assertEquals(3, store().revision());
  }

  @Test
  void an_entry_knows_when_it_was_created_and_changed() {
    put("other", "0");
    put("a", "1");
    assertEquals(Optional.of(new Entry("a", "1", 2, 2)), store().get("a"));
    put("a", "2");
    assertEquals(Optional.of(new Entry("a", "2", 2, 3)), store().get("a"));
  }

  @Test
  void a_key_that_comes_again_is_a_new_one() {
    put("a", "1");
    remove("a");
    assertEquals(Optional.empty(), store().get("a"));
    put("a", "1");
    assertEquals(Optional.of(new Entry("a", "1", 3, 3)), store().get("a"));
  }

  @Test
  void a_value_that_stays_the_same_is_a_change() {
    put("a", "1");
    assertEquals(2, put("a", "1"));
    assertEquals(Optional.of(new Entry("a", "1", 1, 2)), store().get("a"));
  }

  @Test
  void a_transaction_that_changes_nothing_makes_no_revision() {
    put("a", "1");
    assertEquals(1, store().commit(Transaction.begin().build()));
    assertEquals(1, remove("b"));
    assertEquals(1, store().commit(Transaction.begin().ifUnchanged("a", 1).build()));
    assertEquals(1, store().revision());
  }

  @Test
  void conditions_are_checked_though_nothing_would_change() {
    put("a", "1");
    fails(Kind.CONFLICT, () -> store().commit(Transaction.begin().ifAbsent("a").build()));
  }

  @Test
  void a_key_that_must_not_exist_is_a_conflict_that_names_it() {
    put("instance/1", "1");
    StapesException error =
        changesNothing(
            Kind.CONFLICT,
            () ->
                store()
                    .commit(
                        Transaction.begin()
                            .ifAbsent("instance/1")
                            .put("instance/1", "2")
                            .put("b", "2")
                            .build()));
    assertTrue(error.toString().contains("instance/1"));
  }

  @Test
  void a_key_that_must_not_exist_is_made_once() {
    Transaction once = Transaction.begin().ifAbsent("a").put("a", "1").build();
    assertEquals(1, store().commit(once));
    changesNothing(Kind.CONFLICT, () -> store().commit(once));
    remove("a");
    assertEquals(3, store().commit(once));
  }

  @Test
  void a_key_that_changed_meanwhile_is_a_conflict_that_names_it() {
    put("instance/1", "1");
    put("instance/1", "2");
    Transaction stale =
        Transaction.begin().ifUnchanged("instance/1", 1).put("instance/1", "3").build();
    StapesException error = changesNothing(Kind.CONFLICT, () -> store().commit(stale));
    assertTrue(error.toString().contains("instance/1"));
    assertEquals(
        3,
        store()
            .commit(
                Transaction.begin().ifUnchanged("instance/1", 2).put("instance/1", "3").build()));
  }

  @Test
  void a_key_that_vanished_meanwhile_is_a_conflict() {
    put("a", "1");
    remove("a");
    Transaction stale = Transaction.begin().ifUnchanged("a", 1).put("a", "2").build();
    changesNothing(Kind.CONFLICT, () -> store().commit(stale));
    put("a", "1");
    changesNothing(Kind.CONFLICT, () -> store().commit(stale));
  }

  @Test
  void conditions_may_be_on_other_keys_than_changes() {
    put("leader", "me");
    assertEquals(
        2, store().commit(Transaction.begin().ifUnchanged("leader", 1).put("a", "1").build()));
    put("leader", "you");
    changesNothing(
        Kind.CONFLICT,
        () -> store().commit(Transaction.begin().ifUnchanged("leader", 1).remove("a").build()));
  }

  @Test
  void all_of_a_transaction_has_one_revision() {
    put("a", "1");
    put("b", "1");
    assertEquals(
        3, store().commit(Transaction.begin().put("a", "2").remove("b").put("c", "2").build()));
    assertEquals(List.of(new Entry("a", "2", 1, 3), new Entry("c", "2", 3, 3)), store().prefix(""));
  }

  @Test
  void a_transaction_can_be_big() {
    Transaction.Builder builder = Transaction.begin();
    for (int i = 0; i < 1000; i++) {
      builder.put("key/" + i, "value " + i);
    }
    assertEquals(1, store().commit(builder.build()));
    assertEquals(1000, store().prefix("key/").size());
    assertEquals(Optional.of("value 777"), value("key/777"));
  }

  @Test
  void keys_are_ordered_by_their_utf8_bytes() {
    // As UTF-16, U+1F600 would sort before U+E000 and U+FFFF.
    List<String> ordered =
        List.of(" ", "-", "/", "0", "A", "a", "a/", "a0", "aa", "é", "中", "\ue000", "\uffff", "😀");
    List<String> shuffled = new ArrayList<>(ordered);
    Collections.shuffle(shuffled, new Random(1));
    shuffled.forEach(key -> put(key, "1"));
    assertEquals(ordered, keys(store().prefix("")));
  }

  @Test
  void a_range_has_its_begin_and_not_its_end() {
    List.of("a", "b", "c", "d").forEach(key -> put(key, "1"));
    assertEquals(List.of("b", "c"), keys(store().range("b", "d", 10)));
    assertEquals(List.of("b", "c", "d"), keys(store().range("aa", "dd", 10)));
    assertEquals(List.of("a"), keys(store().range("", "b", 10)));
  }

  @Test
  void a_range_has_the_first_ones_where_it_is_limited() {
    List.of("a", "b", "c", "d").forEach(key -> put(key, "1"));
    assertEquals(List.of("b", "c"), keys(store().range("b", "z", 2)));
    fails(Kind.INVALID, () -> store().range("a", "z", 0));
    fails(Kind.INVALID, () -> store().range("a", "z", -1));
  }

  @Test
  void a_range_that_ends_before_it_begins_is_empty() {
    put("a", "1");
    assertEquals(List.of(), store().range("b", "a", 10));
    assertEquals(List.of(), store().range("a", "a", 10));
    assertEquals(List.of(), store().range("a", "", 10));
  }

  @Test
  void a_prefix_finds_all_its_keys_and_no_other() {
    List<String> inside =
        List.of("a/", "a/b", "a/中", "a/\uffff", "a/\uffff\uffff", "a/😀", "a/\udbff\udffd");
    inside.forEach(key -> put(key, "1"));
    List.of("a", "a.", "a0", "b", "A/x", "😀").forEach(key -> put(key, "1"));
    assertEquals(inside, keys(store().prefix("a/")));
    assertEquals(List.of("😀"), keys(store().prefix("😀")));
    assertEquals(13, store().prefix("").size());
  }

  @Test
  void a_list_is_not_changed_by_later_commits() {
    put("a", "1");
    List<Entry> list = store().prefix("");
    put("a", "2");
    put("b", "2");
    assertEquals(List.of(new Entry("a", "1", 1, 1)), list);
  }

  @Test
  void a_key_has_1_to_512_characters() {
    put("k".repeat(512), "1");
    assertEquals(Optional.of("1"), value("k".repeat(512)));
    refuseKey("");
    refuseKey("k".repeat(513));
  }

  @Test
  void a_key_has_no_control_character_and_no_broken_text() {
    for (String bad :
        List.of("a\0", "a\nb", "\u001f", "\u007f", "a\ud83d", "\ude00", "\udbff\udfff")) {
      refuseKey(bad);
    }
  }

  private void refuseKey(String key) {
    changesNothing(Kind.INVALID, () -> put(key, "1"));
    changesNothing(Kind.INVALID, () -> remove(key));
    changesNothing(Kind.INVALID, () -> store().get(key));
    changesNothing(Kind.INVALID, () -> store().commit(Transaction.begin().ifAbsent(key).build()));
  }

  @Test
  void a_value_comes_back_as_it_was() {
    for (String value : List.of("", "{}", "\0\n\r\u007f", "é中😀\uffff", "\"".repeat(1000))) {
      put("a", value);
      assertEquals(Optional.of(value), value("a"));
      assertEquals(value, store().prefix("a").get(0).value());
    }
  }

  @Test
  void a_value_has_at_most_a_mebibyte_of_utf8() {
    put("a", "x".repeat(MAX_VALUE));
    put("b", "é".repeat(MAX_VALUE / 2));
    put("c", "😀".repeat(MAX_VALUE / 4));
    assertEquals(Optional.of("😀".repeat(MAX_VALUE / 4)), value("c"));
    for (String tooBig :
        List.of(
            "x".repeat(MAX_VALUE + 1),
            "é".repeat(MAX_VALUE / 2) + "x",
            "中".repeat(MAX_VALUE / 3 + 1),
            "😀".repeat(MAX_VALUE / 4) + "x")) {
      StapesException error = fails(Kind.INVALID, () -> put("d", tooBig));
      assertTrue(error.toString().contains("d"));
    }
    assertEquals(3, store().revision());
  }

  @Test
  void a_value_has_no_half_of_a_surrogate_pair() {
    changesNothing(Kind.INVALID, () -> put("a", "x\ud83d"));
    changesNothing(Kind.INVALID, () -> put("a", "\ude00x"));
  }

  @Test
  void a_key_cannot_be_put_and_removed_at_once() {
    TreeMap<String, String> puts = new TreeMap<>();
    puts.put("a", "1");
    Transaction both = new Transaction(new TreeMap<>(), puts, List.of("a"), OptionalLong.empty());
    changesNothing(Kind.INVALID, () -> store().commit(both));
  }

  @Test
  void a_key_that_is_removed_twice_is_removed() {
    put("a", "1");
    store()
        .commit(
            new Transaction(
                new TreeMap<>(), new TreeMap<>(), List.of("a", "a"), OptionalLong.empty()));
    assertEquals(Optional.empty(), value("a"));
  }

  @Test
  void a_condition_on_no_revision_is_refused() {
    changesNothing(
        Kind.INVALID, () -> store().commit(Transaction.begin().ifUnchanged("a", 0).build()));
    changesNothing(
        Kind.INVALID, () -> store().commit(Transaction.begin().ifUnchanged("a", -1).build()));
  }

  @Test
  void sync_loses_nothing_however_often_it_is_called() {
    StateStore store = store();
    store.sync();
    put("a", "1");
    store.sync();
    store.sync();
    assertEquals(1, store.revision());
    assertEquals(Optional.of("1"), value("a"));
  }
}
