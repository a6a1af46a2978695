use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Small reads are served from a piece of this size.
const PIECE: usize = 4096;

/// An open file that many threads read at once, each clone at its own position.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    len: u64,
    position: u64,
    piece: Vec<u8>,
    piece_start: u64,
}

impl Blob {
    /// The whole of `file`, whatever its own position is.
    ///
    /// # Errors
    /// The length of the file cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len, position: 0, piece: Vec::new(), piece_start: 0 })
    }

    /// The length of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.len
    }

    /// What the last piece holds from the position on.
    fn rest_of_piece(&self) -> &[u8] {
        self.position
            .checked_sub(self.piece_start)
            .and_then(|offset| usize::try_from(offset).ok())
            .and_then(|offset| self.piece.get(offset..))
            .unwrap_or_default()
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = if buffer.len() >= PIECE {
            self.file.read_at(buffer, self.position)?
        } else {
            if self.rest_of_piece().is_empty() {
                self.piece.resize(PIECE, 0);
                let count = self.file.read_at(&mut self.piece, self.position)?;
                self.piece.truncate(count);
                self.piece_start = self.position;
            }
            self.rest_of_piece().read(buffer)?
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Blob {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position =
            target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "position before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    #[test]
    fn clones_read_at_their_own_positions() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let mut one = Blob::new(file).unwrap();
        let mut two = one.clone();
        one.seek(SeekFrom::Start(4)).unwrap();
        two.seek(SeekFrom::End(-1)).unwrap();
        let (mut a, mut b) = (String::new(), String::new());
        one.read_to_string(&mut a).unwrap();
        two.read_to_string(&mut b).unwrap();
        assert_eq!((a.as_str(), b.as_str()), ("456789", "9"));
        assert!(two.seek(SeekFrom::Current(-11)).is_err());
    }

    proptest! {
        #[test]
        fn reads_and_seeks_agree_with_a_cursor(steps in proptest::collection::vec((0..10_000_u64, 1..9000_usize), 1..20)) {
            let content: Vec<u8> = (0..9_500_u32).map(|n| (n % 251) as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            let mut blob = Blob::new(file).unwrap();
            let mut cursor = Cursor::new(&content);
            for (start, count) in steps {
                blob.seek(SeekFrom::Start(start)).unwrap();
                cursor.seek(SeekFrom::Start(start)).unwrap();
                let (mut a, mut b) = (Vec::new(), Vec::new());
                blob.by_ref().take(count as u64).read_to_end(&mut a).unwrap();
                cursor.by_ref().take(count as u64).read_to_end(&mut b).unwrap();
                prop_assert_eq!(a, b);
            }
        }
    }
}
