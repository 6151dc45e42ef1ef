//! Libraries that a process may load later: looked for by name where the dynamic linker would (ld.so(8)), and beside the program.
//!
//! A probe is at a place in a file: the kernel puts it where the file is mapped, whenever that is.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::Module;

/// Where libraries are on most systems.
const USUAL: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib",
];

/// The library that a process would load by that name, if there is one. Where it will be in memory is not known.
pub fn later(process: u32, name: &str) -> Option<Module> {
    let of_process = Path::new("/proc").join(process.to_string());
    searched(&of_process).into_iter().find_map(|path| in_directory(&rooted(&of_process, path), name))
}

/// A directory of a process as it is seen from here.
fn rooted(of_process: &Path, path: PathBuf) -> PathBuf {
    // Links of /proc lead there themselves.
    if path.starts_with(of_process) {
        return path;
    }
    of_process.join("root").join(path.strip_prefix("/").unwrap_or(&path))
}

/// The libraries in the places that are a process's own, but for those that it has mapped. Each has one name, the longest.
pub fn beside(process: u32) -> Vec<Module> {
    let of_process = Path::new("/proc").join(process.to_string());
    let file = |path: &Path| {
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| (file.dev(), file.ino()))
    };
    let mapped = super::modules(process).unwrap_or_default();
    let mut seen: HashSet<_> = mapped.iter().filter_map(|module| file(&module.file)).collect();
    let mut found = Vec::new();
    for directory in own(&of_process) {
        let directory = rooted(&of_process, directory);
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| is_library(name)).collect();
        names.sort_unstable_by_key(|name| std::cmp::Reverse(name.len()));
        let modules = names.into_iter().map(|name| Module {
            name: name.clone(),
            file: directory.join(&name),
            file_name: name,
            mapped: (0, 0),
        });
        found.extend(modules.filter(|module| file(&module.file).is_some_and(|file| seen.insert(file))));
    }
    found
}

/// The directories, in order.
fn searched(of_process: &Path) -> Vec<PathBuf> {
    own(of_process).into_iter().chain(USUAL.map(PathBuf::from)).collect()
}

/// Those that are the process's own: of its environment, its program's and where it is.
fn own(of_process: &Path) -> Vec<PathBuf> {
    let environment = fs::read(of_process.join("environ")).unwrap_or_default();
    let path = environment.split(|&byte| byte == 0).find_map(|set| set.strip_prefix(b"LD_LIBRARY_PATH="));
    let named = path.unwrap_or_default().split(|byte| matches!(byte, b':' | b';'));
    let named =
        named.filter(|path| path.starts_with(b"/")).map(|path| PathBuf::from(OsStr::from_bytes(path)));
    let program = fs::read_link(of_process.join("exe")).ok();
    let beside = program.as_deref().and_then(Path::parent).map(Path::to_owned);
    named.chain(beside).chain([of_process.join("cwd")]).collect()
}

/// `libx.so`, `libx.so.1.2`
fn is_library(file_name: &str) -> bool {
    let version = file_name.split_once(".so").map(|(_, version)| version);
    version.is_some_and(|version| version.chars().all(|c| c == '.' || c.is_ascii_digit()))
}

/// The file of a directory that is called so; of several the one with the longest name, which others are links to.
fn in_directory(directory: &Path, name: &str) -> Option<Module> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let module = |file_name: String| Module {
        name: file_name.clone(),
        file: directory.join(&file_name),
        file_name,
        mapped: (0, 0),
    };
    let called = names.filter(|file_name| is_library(file_name)).map(module);
    called
        .filter(|module| module.is_called(name) && module.file.is_file())
        .max_by_key(|module| module.file_name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_found_beside_others() {
        let directory = std::env::temp_dir().join(format!("tracer-library-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory is made");
        for name in ["libplug.so", "libplug.so.2", "libplugin.so", "libplug.so.2.c"] {
            fs::write(directory.join(name), "").expect("a file is written");
        }
        let found = |name| in_directory(&directory, name).map(|module| module.file_name);
        assert_eq!(found("libplug"), Some("libplug.so.2".to_owned()));
        assert_eq!(found("libplugin.so"), Some("libplugin.so".to_owned()));
        assert_eq!(found("libplu"), None);
        fs::remove_dir_all(&directory).expect("a directory is removed");
    }

    #[test]
    fn the_working_directory_is_looked_at() {
        let own = Path::new("/proc").join(std::process::id().to_string());
        let searched = searched(&own);
        assert!(searched.contains(&own.join("cwd")) && searched.contains(&PathBuf::from("/usr/lib")));
    }
}
