//! The D types of block I/O.
use crate::record;

record! {
    /// A request to read or write blocks: the kernel's `bio`.
    pub struct BufInfo as "bufinfo_t" {
        /// B_READ or B_WRITE, and B_ASYNC where nobody waits for it, B_PAGEIO for pages of a file's cache, B_PHYS for other memory,
        /// B_DONE and B_ERROR at its end.
        0 b_flags: i32 as "int";
        /// The error, 0 where there is none.
        0 b_error: i32 as "int";
        /// Bytes to transfer.
        0 b_bcount: u64 as "size_t";
        /// The same: Linux has no other size of the buffer.
        0 b_bufsize: u64 as "size_t";
        /// Address of the first page of the buffer (its `struct page`); 0 where there is no data.
        0 b_addr: u64 as "caddr_t";
        /// The first block, of 512 bytes, from the beginning of the disk.
        0 b_lblkno: u64 as "uint64_t";
        /// The same.
        0 b_blkno: u64 as "daddr_t";
        /// Bytes that were not transferred, at its end.
        0 b_resid: u64 as "size_t";
        /// The device's number, which getmajor() and getminor() take apart.
        0 b_edev: u32 as "dev_t";
        /// Unused, zero.
        0 b_pad: u32 as "uint32_t";
        /// Address of what the kernel calls when it is done.
        0 b_iodone: u64 as "caddr_t";
    }

    /// A block device.
    pub struct DevInfo as "devinfo_t" {
        /// Its major number.
        0 dev_major: i32 as "int";
        /// Its minor number.
        0 dev_minor: i32 as "int";
        /// Which of its driver's disks it is or is a part of.
        0 dev_instance: i32 as "int";
        /// Unused, zero.
        0 dev_pad: i32 as "int";
        /// Name of its driver, as /proc/devices has it by the major number.
        1 dev_name: [u8; 16] as "string";
        /// Name of the device, as iostat(1) shows it.
        2 dev_statname: [u8; 32] as "string";
        /// Its path in /dev.
        3 dev_pathname: [u8; 40] as "string";
    }
}
