//! What the store promises: bytes come back as they went in, and nothing half-written stays.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use modelry_blob::{Blobs, Blocks, Condition, Written};
use modelry_core::checksums::{BLOCK_BYTES, Checksums, Summing, blocks_of};
use modelry_core::digest::Sha256;
use modelry_core::store_key::StoreKey;
use modelry_core::time::Timestamp;
use modelry_core::{Error, Kind, Result};
use sha2::Digest;

/// Larger than any test body.
const NO_LIMIT: u64 = u64::MAX;
const MIB: usize = 1024 * 1024;

fn open() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::local(folder.path()).expect("a store");
    (folder, blobs)
}

fn key(byte: u8) -> StoreKey {
    StoreKey::new([byte; 16])
}

/// Bytes that differ from piece to piece, so that a piece in the wrong place shows.
fn patterned(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from((index / 4096 + index) % 251).expect("below 251")).collect()
}

async fn write(blobs: &Blobs, key: &StoreKey, bytes: &[u8]) -> Result<Written> {
    let pieces: Vec<Result<Bytes>> =
        bytes.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    blobs.write(key, stream::iter(pieces), NO_LIMIT).await
}

async fn read(blobs: &Blobs, key: &StoreKey, range: Range<u64>) -> Result<Vec<u8>> {
    let pieces: Vec<Bytes> = blobs.read(key, range, None).await?.try_collect().await?;
    Ok(pieces.concat())
}

fn sha256_of(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// What writing `bytes` answers.
fn written_of(bytes: &[u8]) -> Written {
    let mut summing = Summing::default();
    summing.update(bytes);
    let (_, checksums) = summing.finish();
    Written { sha256: sha256_of(bytes), checksums, size_bytes: bytes.len() as u64 }
}

/// Waits until there are `expected` files anywhere below `folder`: files are made and removed on the blocking pool.
async fn await_files(folder: &Path, expected: usize) {
    for _ in 0..1_000 {
        if count_files(folder) == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("there are {} files, not {expected}", count_files(folder));
}

fn count_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

async fn keys_older_than(blobs: &Blobs, cutoff: Timestamp) -> Vec<StoreKey> {
    let mut keys: Vec<StoreKey> = blobs.list_older_than(cutoff).try_collect().await.expect("a listing");
    keys.sort();
    keys
}

#[tokio::test]
async fn bytes_come_back_as_they_went_in_with_their_digest() {
    let (_folder, blobs) = open();
    for size in [0, 1, 999, MIB - 1, MIB, MIB + 1, 3 * MIB + 17, 70 * MIB] {
        let bytes = patterned(size);
        let key = key(u8::try_from(size % 250).expect("below 250"));

        let written = write(&blobs, &key, &bytes).await.expect("written");

        assert_eq!(written, written_of(&bytes));
        assert!(read(&blobs, &key, 0..size as u64).await.expect("read") == bytes, "{size} bytes");
    }
}

#[tokio::test]
async fn bytes_outlive_the_handle_that_wrote_them() {
    let (folder, blobs) = open();
    write(&blobs, &key(1), b"kept").await.expect("written");
    drop(blobs);

    let blobs = Blobs::local(folder.path()).expect("the same store");

    assert_eq!(read(&blobs, &key(1), 0..4).await.expect("read"), b"kept");
}

#[tokio::test]
async fn a_range_gives_exactly_its_bytes() {
    let (_folder, blobs) = open();
    let bytes = patterned(2 * MIB);
    write(&blobs, &key(1), &bytes).await.expect("written");

    for range in [0..1, 5..5, 0..2 * MIB, MIB - 3..MIB + 3, 2 * MIB - 1..2 * MIB, 2 * MIB..2 * MIB] {
        let read = read(&blobs, &key(1), range.start as u64..range.end as u64).await.expect("read");
        assert!(read == bytes[range.clone()], "{range:?}");
    }
}

#[tokio::test]
async fn a_download_holds_one_piece_at_a_time() {
    let (_folder, blobs) = open();
    write(&blobs, &key(1), &patterned(3 * BLOCK_BYTES + 1)).await.expect("written");

    let pieces: Vec<Bytes> = blobs
        .read(&key(1), 0..3 * BLOCK_BYTES as u64 + 1, None)
        .await
        .expect("there")
        .try_collect()
        .await
        .expect("read");

    let sizes: Vec<usize> = pieces.iter().map(Bytes::len).collect();
    assert_eq!(sizes, [BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 1]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_leaves_nothing() {
    let (folder, blobs) = open();
    let pieces = (0..4).map(|_| Ok(Bytes::from(vec![0; MIB])));

    let error = blobs.write(&key(1), stream::iter(pieces), 3 * MIB as u64).await.expect_err("too large");

    assert_eq!(error.kind(), Kind::TooLarge);
    await_files(folder.path(), 0).await;
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let (_folder, blobs) = open();
    let body = stream::iter([Ok(Bytes::from(vec![0; MIB]))]);
    blobs.write(&key(1), body, MIB as u64).await.expect("written");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let (folder, blobs) = open();
    let body = stream::iter([Ok(Bytes::from(vec![0; 5 * MIB])), Err(Error::invalid("the client has gone"))]);

    let error = blobs.write(&key(1), body, NO_LIMIT).await.expect_err("broken off");

    assert_eq!(error.message(), "the client has gone");
    await_files(folder.path(), 0).await;
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let (folder, blobs) = open();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let body =
        stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    let upload = tokio::spawn(async move { blobs.write(&key(1), body, NO_LIMIT).await });
    for _ in 0..3 {
        sender.send(Ok(Bytes::from(vec![0; 2 * MIB]))).await.expect("the upload is running");
    }
    await_files(folder.path(), 1).await;

    upload.abort();

    assert!(upload.await.expect_err("it was aborted").is_cancelled());
    await_files(folder.path(), 0).await;
}

#[tokio::test]
async fn a_key_is_written_once() {
    let (_folder, blobs) = open();
    write(&blobs, &key(1), b"first").await.expect("written");

    let error = write(&blobs, &key(1), b"second").await.expect_err("the key is taken");

    assert_eq!(error.kind(), Kind::Internal);
    assert_eq!(read(&blobs, &key(1), 0..5).await.expect("read"), b"first");
}

#[tokio::test]
async fn a_blob_shorter_than_its_row_is_an_error_and_not_a_short_answer() {
    let (_folder, blobs) = open();
    write(&blobs, &key(1), b"1234").await.expect("written");

    let error = read(&blobs, &key(1), 0..5).await.expect_err("there are only four");

    assert_eq!(error.kind(), Kind::Internal);
}

#[tokio::test]
async fn missing_bytes_are_an_error_even_when_none_are_asked_for() {
    let (_folder, blobs) = open();
    assert_eq!(read(&blobs, &key(1), 0..0).await.expect_err("nothing there").kind(), Kind::Internal);
    assert_eq!(read(&blobs, &key(1), 0..1).await.expect_err("nothing there").kind(), Kind::Internal);
}

#[tokio::test]
async fn deleting_twice_is_deleting_once() {
    let (folder, blobs) = open();
    write(&blobs, &key(1), b"bytes").await.expect("written");

    blobs.delete(&key(1)).await.expect("deleted");
    blobs.delete(&key(1)).await.expect("nothing to delete");

    assert_eq!(count_files(folder.path()), 0);
}

#[tokio::test]
async fn an_open_download_survives_a_deletion() {
    let (_folder, blobs) = open();
    let bytes = patterned(2 * BLOCK_BYTES);
    write(&blobs, &key(1), &bytes).await.expect("written");
    let mut download = blobs.read(&key(1), 0..bytes.len() as u64, None).await.expect("there");
    let first = download.next().await.expect("a piece").expect("read");

    blobs.delete(&key(1)).await.expect("deleted");

    let rest: Vec<Bytes> = download.try_collect().await.expect("read");
    assert!([first.as_ref(), &rest.concat()].concat() == bytes);
}

#[tokio::test]
async fn the_listing_gives_the_keys_written_before_a_moment() {
    let (folder, blobs) = open();
    for byte in [1, 2] {
        write(&blobs, &key(byte), b"bytes").await.expect("written");
    }
    let old =
        std::fs::File::options().write(true).open(folder.path().join(key(1).as_str())).expect("the first");
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000)).expect("set");
    std::fs::write(folder.path().join("01/README"), "not ours").expect("written");

    assert_eq!(keys_older_than(&blobs, Timestamp(1_000_000)).await, []);
    assert_eq!(keys_older_than(&blobs, Timestamp(1_000_001)).await, [key(1)]);
    assert_eq!(keys_older_than(&blobs, Timestamp(i64::MAX)).await, [key(1), key(2)]);
}

/// Changes a byte of what lies under `key`.
fn flip(folder: &tempfile::TempDir, key: &StoreKey, at: usize) {
    let path = folder.path().join(key.as_str());
    let mut bytes = std::fs::read(&path).expect("the blob is there");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("the blob can be changed");
}

/// The checksums of the blocks of `range`, as whoever keeps all of them finds them.
fn blocks(written: &Written, range: &Range<u64>) -> Blocks {
    let of = blocks_of(range);
    let at = |block: u64| usize::try_from(block).expect("few blocks") * Checksums::STORED_BYTES;
    let checksums = Checksums::from_bytes(&written.checksums.to_bytes()[at(of.start)..at(of.end)]);
    Blocks::of(range, written.size_bytes, checksums.expect("whole checksums")).expect("as many as blocks")
}

/// The bytes of a range that are given out when they are verified, and whether that ends well.
async fn read_verified(
    blobs: &Blobs,
    key: &StoreKey,
    written: &Written,
    range: Range<usize>,
) -> (Vec<u8>, Result<()>) {
    let range = range.start as u64..range.end as u64;
    let blocks = blocks(written, &range);
    let mut pieces = blobs.read(key, range, Some(blocks)).await.expect("the blob is there");
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(error) => return (bytes, Err(error)),
        }
    }
    (bytes, Ok(()))
}

#[tokio::test]
async fn sound_bytes_are_given_out_from_anywhere_to_anywhere() {
    let (_folder, blobs) = open();
    let size = 2 * BLOCK_BYTES + 7;
    let bytes = patterned(size);
    let written = write(&blobs, &key(1), &bytes).await.expect("written");
    let places = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, size - 1, size];
    for start in places {
        for end in places.into_iter().filter(|end| *end >= start) {
            let (read, outcome) = read_verified(&blobs, &key(1), &written, start..end).await;
            assert!(outcome.is_ok() && read == bytes[start..end], "{start}..{end}");
        }
    }
}

#[tokio::test]
async fn a_damaged_block_is_never_given_out_and_others_are() {
    let (folder, blobs) = open();
    let bytes = patterned(2 * BLOCK_BYTES + 7);
    let written = write(&blobs, &key(1), &bytes).await.expect("written");
    flip(&folder, &key(1), BLOCK_BYTES + 3);

    let (read, outcome) = read_verified(&blobs, &key(1), &written, 5..bytes.len()).await;
    assert!(read == bytes[5..BLOCK_BYTES]);
    assert_eq!(outcome.expect_err("damaged").kind(), Kind::Unavailable);
    // Not the damaged byte, but one of its block.
    let (read, outcome) = read_verified(&blobs, &key(1), &written, BLOCK_BYTES + 9..BLOCK_BYTES + 10).await;
    assert!(read.is_empty() && outcome.is_err());
    let (read, outcome) = read_verified(&blobs, &key(1), &written, 2 * BLOCK_BYTES..bytes.len()).await;
    assert!(outcome.is_ok() && read == bytes[2 * BLOCK_BYTES..]);
}

#[tokio::test]
async fn bytes_that_arrive_in_several_goes_come_to_the_same() {
    let (_folder, blobs) = open();
    let bytes = patterned(3 * BLOCK_BYTES);
    let (mut at, mut summed) = (0, None);
    for end in [100, BLOCK_BYTES + 1, 3 * BLOCK_BYTES] {
        let mut growing = blobs.resume(&key(1), at as u64, summed).await.expect("resumed");
        growing.push(&bytes[at..end]).await.expect("taken");
        (at, summed) = (end, growing.finish().await.expect("durable").1);
    }

    assert_eq!(summed.expect("known from the first byte on").finish(), written_of(&bytes));
    assert_eq!(blobs.sum_again(&key(1), bytes.len() as u64).await.expect("readable"), written_of(&bytes));
}

#[tokio::test]
async fn a_check_says_what_is_there() {
    let (folder, blobs) = open();
    let bytes = patterned(100);
    write(&blobs, &key(1), &bytes).await.expect("written");
    let check = async |size| blobs.check(&key(1), size, |_| ()).await;

    assert_eq!(check(100).await, Condition::Readable(written_of(&bytes)));
    assert_eq!(check(99).await, Condition::Size(100));
    flip(&folder, &key(1), 50);
    let mut flipped = bytes;
    flipped[50] ^= 1;
    assert_eq!(check(100).await, Condition::Readable(written_of(&flipped)));
    std::fs::remove_file(folder.path().join(key(1).as_str())).expect("removed");
    assert_eq!(check(100).await, Condition::Missing);
}
