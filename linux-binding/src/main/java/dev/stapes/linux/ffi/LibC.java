package dev.stapes.linux.ffi;

import java.nio.ByteBuffer;
import jnr.ffi.Pointer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;
import org.jspecify.annotations.Nullable;

/**
 * The C library's functions under their C names and with their C arguments; no logic. Read the
 * manual page of the same name.
 *
 * <p>Conventions: {@code const char *} is a NUL-terminated {@code byte[]} made by {@link CString};
 * a buffer is a {@link ByteBuffer} in native byte order (see {@link Syscalls#buffer}), of which the
 * bytes from its position on are seen; a structure of arguments is such a buffer with the offsets
 * of {@link Layout}. {@code null} is {@code NULL}. {@code errno} of a failed call is {@link
 * Syscalls#errno} on the same thread. System calls that have no wrapper in the C library, or a
 * young one, go through {@code syscall}; {@link Syscalls} gives those their names.
 *
 * <p>The interface is public, in a package opened without qualification, because jnr-ffi generates
 * its implementation in a class loader of its own. A function that this machine's library lacks
 * throws {@link UnsatisfiedLinkError} when it is called, not before.
 */
public interface LibC {

  // ---- descriptors

  int open(@In byte[] path, int flags, int mode);

  int openat(int dirfd, @In byte[] path, int flags, int mode);

  int close(int fd);

  long read(int fd, ByteBuffer buf, long count);

  long write(int fd, @In ByteBuffer buf, long count);

  long pread(int fd, ByteBuffer buf, long count, long offset);

  long pwrite(int fd, @In ByteBuffer buf, long count, long offset);

  long lseek(int fd, long offset, int whence);

  int ftruncate(int fd, long length);

  int fallocate(int fd, int mode, long offset, long length);

  int fsync(int fd);

  int fdatasync(int fd);

  int syncfs(int fd);

  int flock(int fd, int operation);

  int fcntl(int fd, int cmd, long arg);

  int ioctl(int fd, long request, long arg);

  int ioctl(int fd, long request, ByteBuffer arg);

  int ioctl(int fd, long request, Pointer arg);

  int pipe2(@Out int[] pipefd, int flags);

  int eventfd(int initval, int flags);

  int poll(ByteBuffer fds, long nfds, int timeout);

  int epoll_create1(int flags);

  int epoll_ctl(int epfd, int op, int fd, @In @Nullable ByteBuffer event);

  int epoll_wait(int epfd, ByteBuffer events, int maxevents, int timeout);

  long copy_file_range(
      int fdIn, @Nullable Pointer offIn, int fdOut, @Nullable Pointer offOut, long len, int flags);

  // ---- sockets

  int socket(int domain, int type, int protocol);

  int socketpair(int domain, int type, int protocol, @Out int[] sv);

  int connect(int sockfd, @In ByteBuffer addr, int addrlen);

  int bind(int sockfd, @In ByteBuffer addr, int addrlen);

  int listen(int sockfd, int backlog);

  int accept4(int sockfd, @Nullable ByteBuffer addr, @Nullable Pointer addrlen, int flags);

  int getsockname(int sockfd, ByteBuffer addr, Pointer addrlen);

  int shutdown(int sockfd, int how);

  long send(int sockfd, @In ByteBuffer buf, long len, int flags);

  long recv(int sockfd, ByteBuffer buf, long len, int flags);

  long sendmsg(int sockfd, Pointer msg, int flags);

  long recvmsg(int sockfd, Pointer msg, int flags);

  // ---- directories and names

  int mkdirat(int dirfd, @In byte[] path, int mode);

  int unlinkat(int dirfd, @In byte[] path, int flags);

  int symlinkat(@In byte[] target, int newdirfd, @In byte[] linkpath);

  int linkat(int olddirfd, @In byte[] oldpath, int newdirfd, @In byte[] newpath, int flags);

  int mkfifoat(int dirfd, @In byte[] path, int mode);

  long readlinkat(int dirfd, @In byte[] path, ByteBuffer buf, long bufsiz);

  int open_by_handle_at(int mountFd, @In ByteBuffer handle, int flags);

  // ---- attributes

  int statfs(@In byte[] path, ByteBuffer buf);

  int fstatfs(int fd, ByteBuffer buf);

  int chmod(@In byte[] path, int mode);

  int fchmod(int fd, int mode);

  int fchownat(int dirfd, @In byte[] path, int owner, int group, int flags);

  int utimensat(int dirfd, @In byte[] path, @In ByteBuffer times, int flags);

  int futimens(int fd, @In ByteBuffer times);

  long lgetxattr(@In byte[] path, @In byte[] name, @Nullable ByteBuffer value, long size);

  long getxattr(@In byte[] path, @In byte[] name, @Nullable ByteBuffer value, long size);

  long fgetxattr(int fd, @In byte[] name, @Nullable ByteBuffer value, long size);

  long llistxattr(@In byte[] path, @Nullable ByteBuffer list, long size);

  long listxattr(@In byte[] path, @Nullable ByteBuffer list, long size);

  long flistxattr(int fd, @Nullable ByteBuffer list, long size);

  int lsetxattr(@In byte[] path, @In byte[] name, @In ByteBuffer value, long size, int flags);

  int setxattr(@In byte[] path, @In byte[] name, @In ByteBuffer value, long size, int flags);

  int fsetxattr(int fd, @In byte[] name, @In ByteBuffer value, long size, int flags);

  int lremovexattr(@In byte[] path, @In byte[] name);

  int removexattr(@In byte[] path, @In byte[] name);

  int fremovexattr(int fd, @In byte[] name);

  // ---- mounts and namespaces

  int mount(
      @In byte @Nullable [] source,
      @In byte[] target,
      @In byte @Nullable [] filesystemtype,
      long mountflags,
      @In byte @Nullable [] data);

  int umount2(@In byte[] target, int flags);

  int unshare(int flags);

  int setns(int fd, int nstype);

  int fchdir(int fd);

  int sethostname(@In byte[] name, long len);

  // ---- processes

  int getpid();

  int geteuid();

  int kill(int pid, int sig);

  int waitid(int idtype, int id, @Nullable ByteBuffer infop, int options);

  int prctl(int option, long arg2, long arg3, long arg4, long arg5);

  /** Returns the previous one, and no error. */
  int setfsuid(int fsuid);

  /** Returns the previous one, and no error. */
  int setfsgid(int fsgid);

  int capget(ByteBuffer header, ByteBuffer data);

  int capset(ByteBuffer header, ByteBuffer data);

  /** Returns the error number itself, as all {@code posix_spawn} functions do. */
  int posix_spawn(
      @Out int[] pid,
      @In byte[] path,
      @Nullable Pointer fileActions,
      @Nullable Pointer attr,
      Pointer argv,
      Pointer envp);

  int posix_spawn_file_actions_init(Pointer fileActions);

  int posix_spawn_file_actions_destroy(Pointer fileActions);

  int posix_spawn_file_actions_adddup2(Pointer fileActions, int fd, int newfd);

  int posix_spawn_file_actions_addclose(Pointer fileActions, int fd);

  int posix_spawn_file_actions_addopen(
      Pointer fileActions, int fd, @In byte[] path, int flags, int mode);

  int posix_spawn_file_actions_addchdir_np(Pointer fileActions, @In byte[] path);

  int posix_spawn_file_actions_addclosefrom_np(Pointer fileActions, int from);

  int posix_spawnattr_init(Pointer attr);

  int posix_spawnattr_destroy(Pointer attr);

  int posix_spawnattr_setflags(Pointer attr, short flags);

  int posix_spawnattr_setsigdefault(Pointer attr, Pointer sigset);

  int posix_spawnattr_setsigmask(Pointer attr, Pointer sigset);

  int sigemptyset(Pointer set);

  int sigfillset(Pointer set);

  // ---- memory

  @Nullable Pointer malloc(long size);

  void free(Pointer memory);

  // ---- system calls by number: the shapes that are needed

  long syscall(long number, long a, long b, long c, long d);

  long syscall(long number, int a, byte[] b, ByteBuffer c, long d);

  long syscall(long number, byte[] a, byte[] b);

  long syscall(long number, int a, byte[] b, int c);

  long syscall(long number, int a, byte[] b, int c, long d);

  long syscall(long number, int a, byte[] b, int c, byte[] d, int e);

  long syscall(long number, int a, byte[] b, int c, ByteBuffer d, long e);

  long syscall(long number, int a, byte[] b, int c, int d, ByteBuffer e);

  long syscall(long number, int a, ByteBuffer b, long c);

  long syscall(long number, int a, int b, int c, ByteBuffer d);
}
