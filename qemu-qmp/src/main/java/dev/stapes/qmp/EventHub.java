package dev.stapes.qmp;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who listens to one client. */
final class EventHub {
  private static final Logger LOG = LoggerFactory.getLogger(EventHub.class);

  private final String name;
  private final QmpEventDecoder decoder;
  private final Dispatcher dispatcher;
  private final int capacity;
  private final List<Receiver> receivers = new CopyOnWriteArrayList<>();
  private @Nullable QmpClosedException ended;

  EventHub(String name, QmpEventDecoder decoder, Dispatcher dispatcher, int capacity) {
    this.name = name;
    this.decoder = decoder;
    this.dispatcher = dispatcher;
    this.capacity = capacity;
  }

  /** Gets events on the reader's thread, where nothing may take long. */
  interface Receiver {
    void event(QmpEvent event);

    void ended(QmpClosedException why);
  }

  /** An event came in. */
  void publish(RawEvent raw) {
    if (receivers.isEmpty()) {
      return;
    }
    QmpEvent event = decode(raw);
    for (Receiver receiver : receivers) {
      receiver.event(event);
    }
  }

  private QmpEvent decode(RawEvent raw) {
    try {
      return decoder.decode(raw);
    } catch (RuntimeException e) {
      LOG.warn("{}: an event {} stays raw: {}", name, raw.eventName(), e.getMessage());
      return raw;
    }
  }

  /** Adds one; it is told the end at once where that has come. */
  void add(Receiver receiver) {
    QmpClosedException why;
    synchronized (this) {
      why = ended;
      if (why == null) {
        receivers.add(receiver);
      }
    }
    if (why != null) {
      receiver.ended(why);
    }
  }

  void remove(Receiver receiver) {
    receivers.remove(receiver);
  }

  /** There are no more events. */
  void end(QmpClosedException why) {
    List<Receiver> last;
    synchronized (this) {
      if (ended != null) {
        return;
      }
      ended = why;
      last = List.copyOf(receivers);
      receivers.clear();
    }
    last.forEach(receiver -> receiver.ended(why));
  }

  <E extends QmpEvent> QmpSubscription subscribe(Class<E> type, QmpListener<? super E> listener) {
    Subscription<E> subscription = new Subscription<>(type, listener);
    add(subscription);
    return subscription;
  }

  /** A listener and the events that wait for it. */
  private final class Subscription<E extends QmpEvent> implements QmpSubscription, Receiver {
    private final Class<E> type;
    private final QmpListener<? super E> listener;
    private ArrayDeque<E> queue = new ArrayDeque<>(1);
    private long missed;
    private @Nullable QmpClosedException end;
    private boolean scheduled;
    private volatile boolean closed;

    Subscription(Class<E> type, QmpListener<? super E> listener) {
      this.type = type;
      this.listener = listener;
    }

    @Override
    public synchronized void event(QmpEvent event) {
      if (!type.isInstance(event)) {
        return;
      }
      if (queue.size() < capacity) {
        queue.add(type.cast(event));
      } else {
        missed++;
      }
      schedule();
    }

    @Override
    public synchronized void ended(QmpClosedException why) {
      end = why;
      schedule();
    }

    private void schedule() {
      if (!scheduled) {
        scheduled = true;
        dispatcher.execute(this::tell);
      }
    }

    private void tell() {
      ArrayDeque<E> batch;
      long lost;
      QmpClosedException why;
      synchronized (this) {
        batch = queue;
        queue = new ArrayDeque<>(1);
        lost = missed;
        missed = 0;
        why = end;
        end = null;
        scheduled = false;
      }
      for (E event : batch) {
        guarded(() -> listener.event(event));
      }
      if (lost > 0) {
        guarded(() -> listener.missed(lost));
      }
      if (why != null) {
        guarded(() -> listener.ended(why));
        closed = true;
      }
    }

    private void guarded(Runnable call) {
      if (closed) {
        return;
      }
      try {
        call.run();
      } catch (RuntimeException e) {
        LOG.warn("{}: a listener failed: {}", name, e.getMessage(), e);
      }
    }

    @Override
    public void close() {
      closed = true;
      remove(this);
    }
  }
}
