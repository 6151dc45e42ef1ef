//! Debian packages (deb(5)): an `ar` archive of a version, a `tar.gz` with what dpkg has to know, and a `tar.gz` with the files.
//!
//! Invariant: the same files and the same time give the same bytes, on whatever system; nothing of Debian is needed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use md5::{Digest as _, Md5};

/// A file as it will be on the target.
pub(super) struct File {
    /// Its path, without a slash at the beginning.
    pub(super) path: String,
    /// Its permissions.
    pub(super) mode: u32,
    /// What is in it.
    pub(super) bytes: Vec<u8>,
}

/// The bytes of a package. `fields` are the lines of its control file, but for its size; all files have that time (Unix seconds).
pub(super) fn write(fields: &str, files: &[File], time: u64) -> io::Result<Vec<u8>> {
    let sums = files.iter().fold(String::new(), |mut text, file| {
        let _ = writeln!(text, "{:x}  {}", Md5::digest(&file.bytes), file.path);
        text
    });
    let kilobytes: usize = files.iter().map(|file| file.bytes.len().div_ceil(1024)).sum();
    let control = format!("{fields}Installed-Size: {kilobytes}\n");
    let about = [("control", control), ("md5sums", sums)].map(|(path, text)| File {
        path: path.to_owned(),
        mode: 0o644,
        bytes: text.into_bytes(),
    });
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", compress(&archive(&about, time)?)?),
        ("data.tar.gz", compress(&archive(files, time)?)?),
    ];
    let mut package = ar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(time);
        package.append(&header, bytes.as_slice())?;
    }
    package.into_inner()
}

/// The bytes, as gzip has them: without a name and a time.
pub(super) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
    io::Write::write_all(&mut packed, bytes)?;
    packed.finish()
}

/// A tar archive of the files, each after the directories that it lies in; all of them root's.
fn archive(files: &[File], time: u64) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut append = |path: &str, kind: tar::EntryType, mode: u32, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(time);
        header.set_size(bytes.len() as u64);
        header.set_username("root")?;
        header.set_groupname("root")?;
        archive.append_data(&mut header, format!("./{path}"), bytes)
    };
    let mut made = BTreeSet::new();
    for file in files {
        let mut directories: Vec<_> = Path::new(&file.path).ancestors().skip(1).collect();
        directories.reverse();
        for directory in directories.into_iter().map(|directory| directory.to_string_lossy().into_owned()) {
            if made.insert(directory.clone()) {
                let path = if directory.is_empty() { directory } else { directory + "/" };
                append(&path, tar::EntryType::Directory, 0o755, &[])?;
            }
        }
        append(&file.path, tar::EntryType::Regular, file.mode, &file.bytes)?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn files() -> [File; 2] {
        let file =
            |path: &str, mode, bytes: &[u8]| File { path: path.to_owned(), mode, bytes: bytes.to_vec() };
        [file("usr/bin/x", 0o755, b"12345"), file("usr/share/doc/x/copyright", 0o644, b"free")]
    }

    /// The names and contents of the members, unpacked.
    fn read(package: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut package = ar::Archive::new(package);
        while let Some(entry) = package.next_entry() {
            let mut entry = entry.expect("a whole member");
            let name = String::from_utf8_lossy(entry.header().identifier()).into_owned();
            let mut bytes = Vec::new();
            if name.ends_with(".gz") {
                flate2::read::GzDecoder::new(entry).read_to_end(&mut bytes).expect("it unpacks");
            } else {
                entry.read_to_end(&mut bytes).expect("it can be read");
            }
            found.push((name, bytes));
        }
        found
    }

    #[test]
    fn a_package_has_three_members_and_directories_before_files() {
        let members = read(&write("Package: x\n", &files(), 7).expect("it is written"));
        let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["debian-binary", "control.tar.gz", "data.tar.gz"]);
        assert_eq!(members[0].1, b"2.0\n");
        let mut data = tar::Archive::new(members[2].1.as_slice());
        let entries: Vec<_> = data
            .entries()
            .expect("a tar archive")
            .map(|entry| {
                let entry = entry.expect("a whole entry");
                let header = entry.header();
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                (name, header.mode().expect("a mode"), header.mtime().expect("a time"))
            })
            .collect();
        let expected = [
            ("./", 0o755),
            ("usr/", 0o755),
            ("usr/bin/", 0o755),
            ("usr/bin/x", 0o755),
            ("usr/share/", 0o755),
            ("usr/share/doc/", 0o755),
            ("usr/share/doc/x/", 0o755),
            ("usr/share/doc/x/copyright", 0o644),
        ];
        assert_eq!(entries, expected.map(|(name, mode)| (name.to_owned(), mode, 7)));
        let control = String::from_utf8_lossy(&members[1].1).into_owned();
        assert!(control.contains("Package: x\nInstalled-Size: 2\n"), "{control}");
        assert!(control.contains("827ccb0eea8a706c4c34a16891f84e7b  usr/bin/x\n"), "{control}");
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let package = || write("Package: x\n", &files(), 1_700_000_000).expect("it is written");
        assert_eq!(package(), package());
    }
}
