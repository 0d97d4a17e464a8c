package dev.stapes.linux.cgroup;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Changes a cpuset of v1 together with those of the groups within it.
 *
 * <p>There, a group's set must contain those of all groups within at every moment: an init system's
 * own groups would make every narrowing fail with EBUSY, and would stay narrow when the set grows
 * again. Groups within that had all of their parent's set go on having all of it; others keep what
 * is left of their choice.
 */
final class CpusetTree {
  private CpusetTree() {}

  static List<Setting> settings(
      GroupView view, Limit limit, Hierarchy hierarchy, String file, CpuSet wanted) {
    List<String> names = view.descendants(hierarchy);
    Map<String, CpuSet> before = new HashMap<>();
    Map<String, CpuSet> after = new HashMap<>();
    before.put("", CpuSet.parse(view.read(hierarchy, file).orElse("")));
    after.put("", wanted);
    for (String name : names) {
      String parent = name.contains("/") ? name.substring(0, name.lastIndexOf('/')) : "";
      CpuSet old = CpuSet.parse(view.descendant(name).read(hierarchy, file).orElse(""));
      CpuSet parentOld = before.getOrDefault(parent, CpuSet.EMPTY);
      CpuSet kept = old.intersection(wanted);
      before.put(name, old);
      CpuSet parentNew = after.getOrDefault(parent, wanted);
      after.put(name, old.equals(parentOld) || kept.isEmpty() ? parentNew : kept);
    }
    List<Setting> settings = new ArrayList<>();
    List<String> downward = new ArrayList<>(names);
    downward.add(0, "");
    for (String name : downward) {
      CpuSet old = before.getOrDefault(name, CpuSet.EMPTY);
      CpuSet union = old.union(after.getOrDefault(name, wanted));
      if (!union.equals(old)) {
        settings.add(view(view, name).setting(limit, hierarchy, file, union.toString()));
      }
    }
    for (int i = downward.size() - 1; i >= 0; i--) {
      String name = downward.get(i);
      CpuSet last = after.getOrDefault(name, wanted);
      if (!last.equals(before.getOrDefault(name, CpuSet.EMPTY).union(last))) {
        settings.add(view(view, name).setting(limit, hierarchy, file, last.toString()));
      }
    }
    return settings;
  }

  private static GroupView view(GroupView view, String name) {
    return name.isEmpty() ? view : view.descendant(name);
  }
}
