//! Which files a folder has to offer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The most files of one run: whoever has more gives folders one by one.
const MAX_FILES: usize = 100_000;

/// What was found below the paths given, each file once, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) pages: BTreeSet<PathBuf>,
    /// Files that are no pages by their name, and links to folders.
    pub(super) passed_over: usize,
    /// Folders that could not be listed, with the reason.
    pub(super) unreadable: Vec<(PathBuf, String)>,
}

/// Every file named, and every page in or below every folder named.
///
/// Links to folders below a named one are not followed: they lead round in circles or out of the folder.
///
/// # Errors
/// When there are more than [`MAX_FILES`].
pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut folders = Vec::new();
    for path in paths {
        if path.is_dir() {
            folders.push(path.clone());
        } else {
            found.pages.insert(path.clone());
        }
    }
    while let Some(folder) = folders.pop() {
        if let Err(error) = list(&folder, &mut folders, &mut found) {
            found.unreadable.push((folder, error.to_string()));
        }
        anyhow::ensure!(
            found.pages.len() <= MAX_FILES,
            "there are more than {MAX_FILES} pages; import the folders in it one by one"
        );
    }
    Ok(found)
}

fn list(folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Found) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = is_unfinished(&entry.file_name().to_string_lossy());
        if kind.is_dir() && !hidden {
            folders.push(path);
        } else if !hidden && is_page(&path) && (kind.is_file() || (kind.is_symlink() && is_readable(&path))) {
            found.pages.insert(path);
        } else {
            found.passed_over += 1;
        }
        if found.pages.len() > MAX_FILES {
            break;
        }
    }
    Ok(())
}

/// Whether a link leads to a file, or nowhere, which the run says. A pipe or a device would never come to an end.
fn is_readable(link: &Path) -> bool {
    std::fs::metadata(link).map_or(true, |target| target.is_file())
}

/// A name that programs give to what they have not finished, or want nobody to see.
pub(crate) fn is_unfinished(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with('.') || [".part", ".filepart", ".tmp", "~"].iter().any(|ending| name.ends_with(ending))
}

/// A page of text or HTML by its name.
pub(crate) fn is_page(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ["txt", "html", "htm", "xhtml"].contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_tree_is_walked_without_going_in_circles_or_out() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = dir.path();
        fs::create_dir_all(root.join("2018/十一月")).unwrap();
        for name in ["b.txt", "2018/a.HTML", "2018/十一月/页.htm", "2018/x.pdf", ".hidden.txt", "c.txt.part", "d.txt~"]
        {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::write(outside.path().join("out.txt"), "x").unwrap();
        symlink(root, root.join("2018/up")).unwrap();
        symlink(outside.path(), root.join("away")).unwrap();
        symlink(root.join("loop.txt"), root.join("loop.txt")).unwrap();
        symlink(outside.path().join("out.txt"), root.join("linked.txt")).unwrap();
        symlink("/dev/null", root.join("device.txt")).unwrap();
        let found = find(&[root.to_owned(), root.join("b.txt"), root.join("missing.txt")]).unwrap();
        let names: Vec<_> = found.pages.iter().map(|path| path.strip_prefix(root).unwrap().to_str().unwrap()).collect();
        // A link to itself is no page either, but the run says so instead of passing it over.
        let expected = ["2018/a.HTML", "2018/十一月/页.htm", "b.txt", "linked.txt", "loop.txt", "missing.txt"];
        assert_eq!(names, expected);
        assert_eq!((found.passed_over, found.unreadable.len()), (7, 0), "{found:?}");
    }

    #[test]
    fn a_name_tells_whether_its_writer_has_finished() {
        for name in [".a.txt", "a.txt.PART", "a.filepart", "a.tmp", "a.txt~", ".~lock.a.txt#"] {
            assert!(is_unfinished(name), "{name}");
        }
        for name in ["a.txt", "part.txt", "tmp", "a~b.txt", "党建.html"] {
            assert!(!is_unfinished(name), "{name}");
        }
    }
}
