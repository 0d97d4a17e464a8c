# A boot sector that does what every kernel does first: it goes to 64-bit mode with paging, uses SSE, waits for an interrupt of
# the timer, and then has the machine switched off. Who runs it to its end can run a kernel.
#
#   as -o kvm-probe.o kvm-probe.S && ld -Ttext 0x7c00 --oformat binary -o kvm-probe.bin kvm-probe.o
.intel_syntax noprefix
.set PML4, 0x1000
.set PDPT, 0x2000
.set PD, 0x3000
.set IDT, 0x4000
.set VECTOR, 0x20
.globl _start
.code16
_start:
  cli
  ljmp 0, offset begin
begin:
  xor eax, eax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov esp, 0x7c00
  # Tables of pages and interrupts, the first 2 MiB where they are.
  mov edi, PML4
  mov cr3, edi
  mov ecx, 0x1000
  cld
  rep stosd
  mov dword ptr [PML4], PDPT + 3
  mov dword ptr [PDPT], PD + 3
  mov dword ptr [PD], 0x83
  # CR4.PAE, OSFXSR, OSXMMEXCPT; EFER.LME; CR0.PE, MP, PG.
  mov eax, 0x620
  mov cr4, eax
  mov ecx, 0xc0000080
  rdmsr
  or eax, 0x100
  wrmsr
  mov eax, 0x80000013
  mov cr0, eax
  lgdt [gdt_pointer]
  ljmp 8, offset long
.code64
long:
  xor eax, eax
  mov ds, eax
  mov es, eax
  mov ss, eax
  # SSE.
  mov eax, 0x5741
  movd xmm0, eax
  pshufd xmm1, xmm0, 0
  movd ebx, xmm1
  cmp eax, ebx
  jne stuck
  # A gate for the timer.
  mov edi, IDT + VECTOR * 16
  mov eax, offset ticked
  mov [rdi], ax
  mov word ptr [rdi + 2], 8
  mov word ptr [rdi + 4], 0x8e00
  lidt [idt_pointer]
  # The interrupt controllers, of which the timer's line alone is open.
  mov al, 0x11
  out 0x20, al
  out 0xa0, al
  mov al, VECTOR
  out 0x21, al
  mov al, VECTOR + 8
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, 0xff
  out 0xa1, al
  mov al, 0xfe
  out 0x21, al
  # 100 times a second.
  mov al, 0x34
  out 0x43, al
  mov al, 0x9c
  out 0x40, al
  mov al, 0x2e
  out 0x40, al
  sti
wait:
  hlt
  jmp wait
ticked:
  # ACPI's PM1a_CNT, where the BIOS of a q35 has it: SLP_EN, type 0.
  mov dx, 0x604
  mov ax, 0x2000
  out dx, ax
stuck:
  cli
  hlt
  jmp stuck
.align 8
gdt:
  .quad 0
  .quad 0x00209a0000000000
gdt_pointer:
  .word 15
  .long gdt
idt_pointer:
  .word (VECTOR + 1) * 16 - 1
  .quad IDT
.org 510
  .byte 0x55, 0xaa
