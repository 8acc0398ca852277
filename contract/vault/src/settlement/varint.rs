use soroban_sdk::Bytes;

use crate::errors::Error;

/// Bytes copied out of the host at a time. A host call costs about as much as copying a few hundred bytes, and a batch may hold a
/// hundred kilobytes, which would have to be paid for as memory if they were copied at once.
const CHUNK_BYTES: usize = 1024;

/// Bits of a varint that fit a u64, in whole groups of 7. Arithmetic beyond needs calls on wasm's 64-bit words, and hardly any
/// delta needs it.
const NARROW_BITS: u32 = 63;

/// Reads unsigned LEB128 numbers from a blob, each in its shortest form: a value has exactly one spelling, so a batch has.
pub struct VarintReader<'a> {
    blob: &'a Bytes,
    length: u32,
    /// Where in the blob the next chunk starts.
    next_chunk: u32,
    chunk: [u8; CHUNK_BYTES],
    /// Unread part of the chunk.
    position: usize,
    end: usize,
}

impl<'a> VarintReader<'a> {
    pub fn new(blob: &'a Bytes) -> Self {
        Self {
            blob,
            length: blob.len(),
            next_chunk: 0,
            chunk: [0; CHUNK_BYTES],
            position: 0,
            end: 0,
        }
    }

    pub fn at_end(&self) -> bool {
        self.position == self.end && self.next_chunk == self.length
    }

    /// Inlined because the network meters a call in wasm as 67 instructions: more than reading the byte takes.
    #[inline(always)]
    pub fn byte(&mut self) -> Result<u8, Error> {
        if self.position == self.end {
            self.refill()?;
        }
        let byte = self
            .chunk
            .get(self.position)
            .ok_or(Error::DeltasTruncated)?;
        self.position += 1;
        Ok(*byte)
    }

    #[inline(always)]
    pub fn u32(&mut self) -> Result<u32, Error> {
        // Most gaps are a byte.
        let first = self.byte()?;
        if first & 0x80 == 0 {
            return Ok(u32::from(first));
        }
        let value = self.u128(first)?;
        u32::try_from(value).map_err(|_| Error::VarintOutOfRange)
    }

    /// A signed number in zigzag form: 0, −1, 1, −2, … as 0, 1, 2, 3, …
    pub fn zigzag_i128(&mut self) -> Result<i128, Error> {
        let first = self.byte()?;
        let value = self.u128(first)?;
        Ok(((value >> 1) as i128) ^ -((value & 1) as i128))
    }

    /// A number that is not signed, and fits an i128 all the same.
    pub fn unsigned_i128(&mut self) -> Result<i128, Error> {
        let first = self.byte()?;
        i128::try_from(self.u128(first)?).map_err(|_| Error::VarintOutOfRange)
    }

    /// Reads the next byte where there is one and it is this one.
    pub fn take(&mut self, byte: u8) -> Result<bool, Error> {
        if self.at_end() {
            return Ok(false);
        }
        if self.position == self.end {
            self.refill()?;
        }
        let found = self.chunk.get(self.position) == Some(&byte);
        if found {
            self.position += 1;
        }
        Ok(found)
    }

    /// A varint whose first byte was read already.
    fn u128(&mut self, first: u8) -> Result<u128, Error> {
        let mut narrow = u64::from(first & 0x7f);
        if first & 0x80 == 0 {
            return Ok(u128::from(narrow));
        }
        let mut shift: u32 = 7;
        while shift < NARROW_BITS {
            let byte = self.byte()?;
            narrow |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 {
                    return Err(Error::VarintOverlong);
                }
                return Ok(u128::from(narrow));
            }
            shift += 7;
        }
        let mut wide = u128::from(narrow);
        while shift < u128::BITS {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            // 18 bytes hold 126 bits; the 19th and last one may only add the two that are left.
            if bits > u128::MAX >> shift {
                return Err(Error::VarintOutOfRange);
            }
            wide |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 {
                    return Err(Error::VarintOverlong);
                }
                return Ok(wide);
            }
            shift += 7;
        }
        Err(Error::VarintOutOfRange)
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) -> Result<(), Error> {
        let left = self.length.saturating_sub(self.next_chunk);
        let size = left.min(CHUNK_BYTES as u32);
        if size == 0 {
            return Err(Error::DeltasTruncated);
        }
        let end = self.next_chunk.saturating_add(size);
        let target = self
            .chunk
            .get_mut(..size as usize)
            .ok_or(Error::DeltasTruncated)?;
        self.blob
            .slice(self.next_chunk..end)
            .copy_into_slice(target);
        self.next_chunk = end;
        self.position = 0;
        self.end = size as usize;
        Ok(())
    }
}
