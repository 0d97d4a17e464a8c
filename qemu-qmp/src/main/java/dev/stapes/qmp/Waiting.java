package dev.stapes.qmp;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Commands whose turn has not come, and the end of the connection. Not thread-safe. */
final class Waiting {
  private final String name;
  private final int most;
  private final Deque<Request> requests = new ArrayDeque<>(1);
  private @Nullable QmpClosedException ended;

  Waiting(String name, int most) {
    this.name = name;
    this.most = most;
  }

  void add(Request request) {
    checkOpen();
    if (requests.size() >= most) {
      throw new QmpBusyException(
          name + ": " + request.commandName() + ": " + most + " commands wait already");
    }
    requests.add(request);
  }

  void checkOpen() {
    if (ended != null) {
      throw again(ended);
    }
  }

  /** The same with the stack of the thread that is here. */
  static QmpClosedException again(QmpClosedException why) {
    return new QmpClosedException(String.valueOf(why.getMessage()), why.reason(), why.getCause());
  }

  @Nullable Request peek() {
    return requests.peek();
  }

  Request take() {
    return requests.remove();
  }

  boolean remove(Request request) {
    return requests.remove(request);
  }

  boolean isEmpty() {
    return requests.isEmpty();
  }

  /** Ends; returns those that will never be sent. */
  List<Request> end(QmpClosedException why) {
    ended = why;
    List<Request> left = new ArrayList<>(requests);
    requests.clear();
    return left;
  }
}
