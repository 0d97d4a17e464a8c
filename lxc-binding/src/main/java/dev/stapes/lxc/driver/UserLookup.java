package dev.stapes.lxc.driver;

import dev.stapes.model.StapesException;
import dev.stapes.model.StapesException.Kind;
import dev.stapes.spi.Tree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Finds users in the lists of a root file system, passwd(5) and group(5). */
final class UserLookup {
  private static final int LARGEST = 1 << 20;
  private static final long MOST = 0xFFFF_FFFEL;
  private static final String PASSWD = "etc/passwd";
  private static final String GROUP = "etc/group";

  private UserLookup() {}

  /**
   * A user.
   *
   * @param home the directory
   */
  record User(long uid, long gid, String home) {}

  /**
   * The user that an OCI image names: {@code user}, {@code user:group}, names or numbers; root
   * where it names none.
   *
   * @throws StapesException INVALID for a name that is in no list
   */
  static User of(Tree root, String text) {
    if (text.isEmpty()) {
      return new User(0, 0, "/root");
    }
    int colon = text.indexOf(':');
    String user = colon < 0 ? text : text.substring(0, colon);
    Optional<String> group =
        colon < 0 || colon == text.length() - 1
            ? Optional.empty()
            : Optional.of(text.substring(colon + 1));
    Optional<String[]> entry = find(root, PASSWD, fields -> fields[0].equals(user));
    Optional<Long> number = number(user);
    if (entry.isEmpty() && number.isPresent()) {
      return number(root, number.get(), group.map(name -> group(root, name)));
    }
    String[] fields =
        entry.orElseThrow(() -> StapesException.invalid("user", "not in the image: " + user));
    return user(fields, group.map(name -> group(root, name)));
  }

  /** The user with a number; its group where none is given is that in the list, else root's. */
  static User number(Tree root, long uid, Optional<Long> gid) {
    return find(root, PASSWD, fields -> fields[2].equals(Long.toString(uid)))
        .map(fields -> user(fields, gid))
        .orElseGet(() -> new User(uid, gid.orElse(0L), "/"));
  }

  private static User user(String[] fields, Optional<Long> gid) {
    long uid = number(fields[2]).orElseThrow(() -> damaged(PASSWD));
    long group = gid.or(() -> number(fields[3])).orElseThrow(() -> damaged(PASSWD));
    return new User(uid, group, fields.length > 5 && !fields[5].isEmpty() ? fields[5] : "/");
  }

  private static long group(Tree root, String name) {
    return find(root, GROUP, fields -> fields[0].equals(name))
        .flatMap(fields -> number(fields[2]))
        .or(() -> number(name))
        .orElseThrow(() -> StapesException.invalid("group", "not in the image: " + name));
  }

  private static StapesException damaged(String file) {
    return StapesException.invalid("user", "the image's /" + file + " is damaged");
  }

  private static Optional<Long> number(String text) {
    if (!text.matches("[0-9]{1,10}")) {
      return Optional.empty();
    }
    return Optional.of(Long.parseLong(text)).filter(number -> number <= MOST);
  }

  private static Optional<String[]> find(Tree root, String file, Predicate<String[]> wanted) {
    return lines(root, file).stream()
        .map(line -> line.split(":", -1))
        .filter(fields -> fields.length > 3)
        .filter(wanted)
        .findFirst();
  }

  private static List<String> lines(Tree root, String file) {
    try (InputStream in = root.read(file)) {
      byte[] content = in.readNBytes(LARGEST);
      return new String(content, StandardCharsets.UTF_8).lines().toList();
    } catch (StapesException e) {
      if (e.kind() == Kind.NOT_FOUND) {
        return List.of();
      }
      throw e;
    } catch (IOException e) {
      throw new StapesException(Kind.INTERNAL, "user", "/" + file + " cannot be read: " + e, e);
    }
  }
}
