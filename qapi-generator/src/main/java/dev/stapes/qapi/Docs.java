package dev.stapes.qapi;

import com.palantir.javapoet.CodeBlock;
import dev.stapes.qapi.Model.AlternateDefinition;
import dev.stapes.qapi.Model.Definition;
import dev.stapes.qapi.Model.EnumDefinition;
import dev.stapes.qapi.Model.Member;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The javadoc: our sentences, and what can be said where there is none. */
final class Docs {
  private static final Pattern RETURNED = Pattern.compile("(.*)\\(\\)");
  private static final Pattern MEMBER = Pattern.compile("([^=.]*)(=([^.]*))?\\.([^.]*)");

  private final Lines sentences;

  Docs(Lines sentences) {
    this.sentences = sentences;
  }

  CodeBlock command(String name, Set<String> features) {
    String text =
        sentences.get(name).orElse("The command {@code " + name + "}.") + remark(features);
    return CodeBlock.of("$L\n", text);
  }

  CodeBlock event(String name, Set<String> features) {
    String text = sentences.get(name).orElse("The event {@code " + name + "}.") + remark(features);
    return CodeBlock.of("$L\n", text);
  }

  CodeBlock definition(Definition type) {
    return CodeBlock.of("$L\n", sentences.get(type.name()).orElseGet(() -> byUse(type)));
  }

  CodeBlock variant(String union, String tag, String value) {
    return CodeBlock.of(
        "$L\n",
        sentences
            .get(union + "=" + value)
            .orElse("Where {@code " + tag + "} is {@code " + value + "}."));
  }

  /** The members of a record that there is something to say of. */
  CodeBlock members(Collection<String> owners, List<Member> members) {
    List<CodeBlock> lines = new ArrayList<>();
    for (Member member : members) {
      List<String> said = new ArrayList<>();
      for (String owner : owners) {
        sentences.get(owner + "." + member.name()).ifPresent(said::add);
      }
      String text = String.join(" ", said) + remark(member.features());
      if (!text.isBlank()) {
        lines.add(CodeBlock.of("@param $L $L\n", JavaNames.member(member.name()), text.strip()));
      }
    }
    return lines.isEmpty() ? CodeBlock.of("") : CodeBlock.of("\n$L", CodeBlock.join(lines, ""));
  }

  private static String remark(Set<String> features) {
    if (features.contains("deprecated")) {
      return " Deprecated in QEMU.";
    }
    return features.contains("unstable") ? " QEMU may change it at any time." : "";
  }

  private static String byUse(Definition type) {
    String use = type.use();
    Matcher returned = RETURNED.matcher(use);
    if (returned.matches()) {
      return "What {@code " + returned.group(1) + "} tells.";
    }
    Matcher member = MEMBER.matcher(use);
    if (member.matches()) {
      String owner = member.group(1) + (member.group(3) == null ? "" : " " + member.group(3));
      return kind(type) + " {@code " + member.group(4) + "} of {@code " + owner + "}.";
    }
    return kind(type) + " {@code " + use.replace("|", "") + "}.";
  }

  private static String kind(Definition type) {
    if (type instanceof EnumDefinition) {
      return "The values of";
    }
    return type instanceof AlternateDefinition ? "One of the kinds of" : "What is said in";
  }
}
