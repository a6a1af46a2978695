//! Zip archives of any shape, also such as no tool would write.

use sha2::{Digest, Sha256};

/// An entry, with all that its two headers say.
#[derive(Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    /// The name in the local header, if it is to differ.
    pub local_name: Option<Vec<u8>>,
    pub data: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub crc: u32,
    pub size: u32,
    /// The size in the local header, if it is to differ.
    pub local_size: Option<u32>,
    pub mode: u32,
    /// Where the local header is said to be, if not where it is.
    pub offset: Option<u32>,
}

impl Entry {
    pub fn new(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref().to_vec();
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            method: 0,
            flags: 1 << 11,
            crc: crc32(&data),
            size: u32::try_from(data.len()).unwrap(),
            local_size: None,
            mode: 0o100_644,
            offset: None,
            data,
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (!(crc & 1)).wrapping_add(1)))
    })
}

/// The bytes of an archive.
pub fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(bytes.len() as u32);
        let fields = |name: &[u8], size: u32| {
            let mut fields = Vec::new();
            for field in [20, entry.flags, entry.method, 0, 0x21] {
                fields.extend(field.to_le_bytes());
            }
            for field in [entry.crc, entry.data.len() as u32, size] {
                fields.extend(field.to_le_bytes());
            }
            fields.extend((name.len() as u16).to_le_bytes());
            fields.extend([0, 0]);
            fields
        };
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(fields(local_name, entry.local_size.unwrap_or(entry.size)));
        bytes.extend(local_name);
        bytes.extend(&entry.data);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(fields(&entry.name, entry.size));
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = bytes.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].concat());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

/// The entries of a small, proper wheel with the given files.
pub fn wheel_entries(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<Entry> {
    let info = format!("{}-{version}.dist-info", name.replace('-', "_"));
    let mut entries: Vec<Entry> = files.iter().map(|(path, content)| Entry::new(path, content)).collect();
    entries.push(Entry::new(
        format!("{info}/METADATA"),
        format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText.\n"),
    ));
    entries.push(Entry::new(
        format!("{info}/WHEEL"),
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    ));
    let record = format!("{info}/RECORD");
    let names = entries.iter().map(|entry| String::from_utf8_lossy(&entry.name));
    let rows: String = names.map(|name| format!("{name},,\n")).collect();
    entries.push(Entry::new(&record, format!("{rows}{record},,\n")));
    entries
}

/// The bytes of a small, proper wheel with the given files.
pub fn wheel(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    zip(&wheel_entries(name, version, files))
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
