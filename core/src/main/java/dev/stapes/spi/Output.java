package dev.stapes.spi;

/**
 * What a program wrote before it ended with exit code 0.
 *
 * @param stdout at most 16 MiB, as UTF-8
 * @param stderr at most 1 MiB, as UTF-8
 */
public record Output(String stdout, String stderr) {}
