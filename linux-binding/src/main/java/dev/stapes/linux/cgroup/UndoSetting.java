package dev.stapes.linux.cgroup;

import java.util.Optional;

/** What puts a file back to what it says now. */
final class UndoSetting {
  private UndoSetting() {}

  /**
   * Returns the setting that undoes {@code setting}, or nothing for files that only take commands.
   */
  static Optional<Setting> of(Setting setting) {
    if (setting.limit() == Limit.DEVICES) {
      return Optional.empty();
    }
    return CgroupFiles.readIfThere(setting.path())
        .map(
            content ->
                new Setting(
                    setting.limit(),
                    setting.hierarchy(),
                    setting.directory(),
                    setting.file(),
                    before(setting, content)));
  }

  /**
   * Returns the value to write, given the content; a file of throttles has a line for each
   * throttled device.
   */
  static String before(Setting setting, String content) {
    if (setting.limit() != Limit.IO_THROTTLE) {
      return content.isEmpty() ? "\n" : content;
    }
    String device = setting.value().substring(0, setting.value().indexOf(' '));
    return content
        .lines()
        .filter(line -> line.startsWith(device + " "))
        .findFirst()
        .orElse(
            device
                + (setting.hierarchy().isV2() ? " rbps=max wbps=max riops=max wiops=max" : " 0"));
  }
}
