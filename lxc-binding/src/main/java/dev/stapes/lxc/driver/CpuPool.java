package dev.stapes.lxc.driver;

import dev.stapes.linux.cgroup.CpuBalance;
import dev.stapes.linux.cgroup.CpuRequest;
import dev.stapes.linux.cgroup.CpuSet;
import dev.stapes.model.InstanceId;
import dev.stapes.model.StapesException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;

/** Who runs on which CPUs; others move when somebody comes or goes. */
final class CpuPool {
  private final CpuSet online;
  private final Map<InstanceId, Member> members = new HashMap<>();

  CpuPool(CpuSet online) {
    this.online = online;
  }

  private record Member(CpuRequest request, CpuSet cpus, Consumer<CpuSet> move) {}

  /**
   * Takes part, or asks for something else.
   *
   * @param request empty: all CPUs
   * @param move called later with other CPUs, on the thread of who came or went
   * @return the CPUs; empty: all
   * @throws StapesException UNSUPPORTED where none of the wanted ones is online
   */
  synchronized Optional<CpuSet> join(
      InstanceId id, Optional<CpuRequest> request, Consumer<CpuSet> move) {
    if (request.isEmpty()) {
      leave(id);
      return Optional.empty();
    }
    Map<String, CpuRequest> requests = requests();
    requests.put(id.value(), request.get());
    SortedMap<String, CpuSet> assigned = CpuBalance.assign(online, requests);
    CpuSet mine = assigned.get(id.value());
    if (mine == null) {
      throw new StapesException(
          StapesException.Kind.UNSUPPORTED,
          "config key limits.cpu",
          "none of these CPUs is online: \"" + request.get() + "\", online are " + online);
    }
    members.put(id, new Member(request.get(), mine, move));
    moveOthers(assigned, id);
    return Optional.of(mine);
  }

  /** The CPUs of one who takes part, as they are by now; empty: it does not, or has all. */
  synchronized Optional<CpuSet> of(InstanceId id) {
    return Optional.ofNullable(members.get(id)).map(Member::cpus);
  }

  /** Takes part no more. */
  synchronized void leave(InstanceId id) {
    if (members.remove(id) != null) {
      moveOthers(CpuBalance.assign(online, requests()), id);
    }
  }

  private Map<String, CpuRequest> requests() {
    Map<String, CpuRequest> requests = new HashMap<>();
    members.forEach((id, member) -> requests.put(id.value(), member.request));
    return requests;
  }

  private void moveOthers(SortedMap<String, CpuSet> assigned, InstanceId except) {
    members.replaceAll(
        (id, member) -> {
          CpuSet now = assigned.get(id.value());
          if (now == null || id.equals(except) || now.equals(member.cpus)) {
            return member;
          }
          member.move.accept(now);
          return new Member(member.request, now, member.move);
        });
  }
}
