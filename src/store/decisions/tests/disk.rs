//! A disk that is full for a while.

use std::io::Write;

use super::super::files::Output;
use super::*;

/// A disk that can be full: then half of what is written gets there.
#[derive(Debug, Clone, Default)]
struct Full {
    is_full: Arc<AtomicBool>,
    /// Whether not even the end of a file can be cut off.
    is_broken: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Filling {
    file: File,
    disk: Full,
}

impl Full {
    fn set(&self, is_full: bool, is_broken: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

impl Disk for Full {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(Box::new(Filling {
            file: File::create(path)?,
            disk: self.clone(),
        }))
    }
}

impl Write for Filling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.disk.is_full.load(Ordering::Relaxed) {
            return self.file.write(bytes);
        }
        match bytes.len() {
            0..100 => Err(io::ErrorKind::StorageFull.into()),
            all => self.file.write(&bytes[..all / 2]),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Output for Filling {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        if self.disk.is_broken.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.file.cut(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}

fn on(disk: &Full, folder: &Path) -> DecisionLog {
    let settings = Settings::default();
    DecisionLog::open_on(Box::new(disk.clone()), folder, settings, noon()).unwrap()
}

#[test]
fn a_full_disk_loses_lines_and_then_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Full::default();
    let decisions = on(&disk, folder.path());
    log(&decisions, 0..4, 9);
    assert_eq!((decisions.lost(), decisions.problem()), (0, None));
    disk.set(true, false);
    log(&decisions, 4..10, 9);
    assert_eq!(decisions.lost(), 6);
    assert!(decisions.problem().is_some());
    disk.set(false, false);
    log(&decisions, 10..12, 9);
    assert_eq!((decisions.lost(), decisions.problem()), (6, None));
    drop(decisions);
    // No half line is left behind.
    assert_eq!(ids(folder.path()), named((0..4).chain(10..12)));
    assert_eq!(files(folder.path()).unwrap().len(), 1);
}

#[test]
fn a_file_that_cannot_be_mended_is_left_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Full::default();
    let decisions = on(&disk, folder.path());
    log(&decisions, 0..4, 9);
    disk.set(true, true);
    log(&decisions, 4..8, 9);
    let day = 24 * 3_600;
    // Nor can another one be begun, on this day or the next.
    log(&decisions, day..day + 2, 9);
    decisions.flush();
    assert_eq!(decisions.lost(), 6);
    disk.set(false, false);
    log(&decisions, day + 2..day + 4, 9);
    decisions.flush();
    assert_eq!(decisions.lost(), 6);
    drop(decisions);
    let all = text(folder.path());
    let lines = all
        .lines()
        .filter_map(|line| Recorded::read(line.as_bytes()));
    let lines: Vec<_> = lines.map(|line| line.decision.event).collect();
    let expected = named((0..5).chain(day + 2..day + 4));
    let expected: Vec<_> = expected.into_iter().map(EventRef::Id).collect();
    // One of the lines that were counted as lost got there. What is left of the next stands alone, at the end of a file that nothing is added to.
    assert_eq!(lines, expected);
    assert_eq!(files(folder.path()).unwrap().len(), 2);
}

/// What is reported of a disk that the system says is full.
#[cfg(target_os = "linux")]
#[test]
fn the_system_s_own_words_are_reported() {
    #[derive(Debug)]
    struct Device;
    impl Disk for Device {
        fn create(&self, _: &Path) -> io::Result<Box<dyn Output>> {
            Ok(Box::new(File::create("/dev/full")?))
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::default();
    let decisions =
        DecisionLog::open_on(Box::new(Device), folder.path(), settings, noon()).unwrap();
    log(&decisions, 0..2, 9);
    assert_eq!(decisions.lost(), 2);
    let problem = decisions.problem().unwrap();
    assert!(problem.contains("No space left"), "{problem}");
}
