package dev.stapes.linux;

/**
 * A file system's kind and room; see statfs(2).
 *
 * @param type its kind
 * @param magic its kind as the kernel's number
 * @param size in bytes
 * @param free bytes, those reserved for root included
 * @param available bytes that an ordinary user can fill
 * @param files inodes at most; 0 where there is no limit
 * @param freeFiles inodes left
 * @param id tells it from others that are mounted; some have another one the next time
 */
public record FileSystemInfo(
    FileSystemType type,
    long magic,
    long size,
    long free,
    long available,
    long files,
    long freeFiles,
    long id) {}
