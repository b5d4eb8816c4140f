#include "runtime/simulated/disk.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace moldau::runtime::simulated {
namespace {

InodePtr make(Disk& disk, const std::string& path) {
  InodePtr file;
  EXPECT_EQ(disk.open(path, OpenMode::create, 0, file), 0);
  return file;
}
void write(Disk& disk, const InodePtr& file, uint64_t position, std::string_view text) {
  EXPECT_EQ(disk.write(*file, position, as_bytes(text), 0), 0);
}
std::string text_of(const Disk& disk, const std::string& path) {
  InodePtr file;
  if (disk.find(path, file) != 0) return "(none)";
  return std::string(as_text(file->seen));
}
// Runs `body(disk)` and crashes, with many seeds; gives the texts that `path` then had.
template <class Body>
std::set<std::string> after_crashes(const std::string& path, Body body) {
  std::set<std::string> texts;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Disk disk;
    Random random(seed);
    body(disk);
    disk.crash(random);
    texts.insert(text_of(disk, path));
  }
  return texts;
}

TEST(SectorSet, joins_ranges_that_touch) {
  SectorSet set;
  set.add_bytes(0, 1);
  set.add_bytes(1024, 1025);
  set.add_bytes(600, 700);
  int ranges = 0;
  set.for_each_range(10'000, [&](uint64_t position, uint64_t size) {
    ++ranges;
    EXPECT_EQ(position, 0u);
    EXPECT_EQ(size, 1536u);
  });
  EXPECT_EQ(ranges, 1);
}

TEST(Disk, what_was_synced_survives_every_crash) {
  EXPECT_EQ(after_crashes("d/f", [](Disk& disk) {
              disk.create_directories("d");
              const InodePtr file = make(disk, "d/f");
              write(disk, file, 0, "hello");
              Disk::sync(*file);
              disk.sync_directory("d");
              disk.sync_directory("/");
            }),
            (std::set<std::string>{"hello"}));
}

TEST(Disk, a_sync_that_ends_after_a_later_one_takes_nothing_away) {
  EXPECT_EQ(after_crashes("f", [](Disk& disk) {
              const InodePtr file = make(disk, "f");
              disk.sync_directory("/");
              write(disk, file, 0, "one ");
              SyncUnderWay& earlier = Disk::begin_sync(*file);
              write(disk, file, 4, "two");
              SyncUnderWay& later = Disk::begin_sync(*file);
              Disk::end_sync(*file, later);
              Disk::end_sync(*file, earlier);
            }),
            (std::set<std::string>{"one two"}));
}

TEST(Disk, a_file_is_lost_without_a_sync_of_its_directory_or_of_that_ones_parent) {
  for (const bool sync_parent : {false, true}) {
    const auto texts = after_crashes("d/f", [&](Disk& disk) {
      disk.create_directories("d");
      if (sync_parent) disk.sync_directory("/");
      const InodePtr file = make(disk, "d/f");
      write(disk, file, 0, "hello");
      Disk::sync(*file);
      if (!sync_parent) disk.sync_directory("d");
    });
    EXPECT_EQ(texts, (std::set<std::string>{"(none)", "hello"}));
  }
}

TEST(Disk, unsynced_writes_are_lost_kept_or_torn_at_512_bytes) {
  const std::string old_text(2048, 'o');
  const std::string new_text(2048, 'n');
  const auto texts = after_crashes("f", [&](Disk& disk) {
    const InodePtr file = make(disk, "f");
    write(disk, file, 0, old_text);
    Disk::sync(*file);
    disk.sync_directory("/");
    write(disk, file, 0, new_text);
  });
  EXPECT_TRUE(texts.contains(old_text));
  EXPECT_TRUE(texts.contains(new_text));
  EXPECT_GT(texts.size(), 4u);
  for (const std::string& text : texts)
    for (size_t sector = 0; sector < 2048; sector += 512)
      EXPECT_EQ(text.substr(sector, 512), std::string(512, text[sector]));
}

TEST(Disk, an_append_that_was_not_synced_ends_anywhere_with_zeros_where_nothing_was_written) {
  const auto texts = after_crashes("f", [&](Disk& disk) {
    const InodePtr file = make(disk, "f");
    write(disk, file, 0, std::string(100, 'a'));
    Disk::sync(*file);
    disk.sync_directory("/");
    write(disk, file, 100, std::string(1400, 'b'));
  });
  bool zeros = false;
  bool short_one = false;
  for (const std::string& text : texts) {
    EXPECT_EQ(text.substr(0, 100), std::string(100, 'a'));
    zeros = zeros || text.find('\0') != std::string::npos;
    short_one = short_one || (text.size() > 100 && text.size() < 1500);
  }
  EXPECT_TRUE(zeros);
  EXPECT_TRUE(short_one);
  EXPECT_TRUE(texts.contains(std::string(100, 'a')));
}

TEST(Disk, an_unsynced_truncation_may_be_undone) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    write(disk, file, 0, "0123456789");
    Disk::sync(*file);
    disk.sync_directory("/");
    disk.truncate(*file, 4, 0);
  });
  EXPECT_EQ(texts, (std::set<std::string>{"0123", "0123456789"}));
}

TEST(Disk, a_synced_truncation_is_kept_even_when_the_file_grew_again) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    write(disk, file, 0, std::string(5000, 'x'));
    Disk::sync(*file);
    disk.sync_directory("/");
    disk.truncate(*file, 4, 0);
    write(disk, file, 4, "new");
    Disk::sync(*file);
  });
  EXPECT_EQ(texts, (std::set<std::string>{"xxxxnew"}));
}

TEST(Disk, a_rename_that_was_not_synced_leaves_the_old_or_the_new_file_whole) {
  const auto prepare = [](Disk& disk) {
    const InodePtr old_file = make(disk, "f");
    write(disk, old_file, 0, "old");
    Disk::sync(*old_file);
    disk.sync_directory("/");
    const InodePtr new_file = make(disk, "f.tmp");
    write(disk, new_file, 0, "new");
    Disk::sync(*new_file);
    EXPECT_EQ(disk.rename("f.tmp", "f"), 0);
  };
  EXPECT_EQ(after_crashes("f", prepare), (std::set<std::string>{"old", "new"}));
  EXPECT_EQ(after_crashes("f",
                          [&](Disk& disk) {
                            prepare(disk);
                            disk.sync_directory("/");
                          }),
            (std::set<std::string>{"new"}));
}

TEST(Disk, a_removed_file_may_come_back) {
  EXPECT_EQ(after_crashes("f",
                          [](Disk& disk) {
                            const InodePtr file = make(disk, "f");
                            write(disk, file, 0, "here");
                            Disk::sync(*file);
                            disk.sync_directory("/");
                            EXPECT_EQ(disk.remove("f"), 0);
                          }),
            (std::set<std::string>{"(none)", "here"}));
}

TEST(Disk, a_failed_sync_loses_its_pages_though_they_read_back_until_the_crash) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    write(disk, file, 0, "old");
    Disk::sync(*file);
    disk.sync_directory("/");
    write(disk, file, 0, "new");
    Disk::fail_sync(*file, Disk::begin_sync(*file));
    EXPECT_EQ(text_of(disk, "f"), "new");
    Disk::sync(*file);  // succeeds and means nothing
  });
  EXPECT_EQ(texts, (std::set<std::string>{"old"}));
}

TEST(Disk, a_sync_covers_only_what_was_written_when_it_began) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    disk.sync_directory("/");
    write(disk, file, 0, std::string(512, 'a'));
    SyncUnderWay& sync = Disk::begin_sync(*file);
    write(disk, file, 512, std::string(512, 'b'));
    Disk::end_sync(*file, sync);
  });
  for (const std::string& text : texts) EXPECT_EQ(text.substr(0, 512), std::string(512, 'a'));
  EXPECT_TRUE(texts.contains(std::string(512, 'a')));
}

TEST(Disk, a_crash_during_a_sync_may_lose_what_it_was_writing) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    disk.sync_directory("/");
    write(disk, file, 0, "text");
    static_cast<void>(Disk::begin_sync(*file));
  });
  EXPECT_TRUE(texts.contains(""));
  EXPECT_TRUE(texts.contains("text"));
}

TEST(Disk, the_page_cache_survives_the_end_of_the_process_but_not_the_next_crash) {
  const auto texts = after_crashes("f", [](Disk& disk) {
    const InodePtr file = make(disk, "f");
    disk.sync_directory("/");
    write(disk, file, 0, "text");
    static_cast<void>(Disk::begin_sync(*file));
    disk.locked.insert(file.get());
    disk.end_of_process();
    EXPECT_EQ(text_of(disk, "f"), "text");
    EXPECT_TRUE(disk.locked.empty());
  });
  EXPECT_TRUE(texts.contains(""));
}

TEST(Disk, a_full_disk_takes_what_fits_and_has_room_again_after_a_removal) {
  Disk disk;
  disk.capacity_bytes = 1000;
  const InodePtr other = make(disk, "other");
  write(disk, other, 0, std::string(600, 'x'));
  const InodePtr file = make(disk, "f");
  EXPECT_EQ(disk.write(*file, 0, as_bytes(std::string(500, 'y')), 0), ENOSPC);
  EXPECT_EQ(file->seen.size(), 400u);
  write(disk, file, 0, "overwriting needs no room");
  EXPECT_EQ(disk.remove("other"), 0);
  write(disk, file, 400, std::string(500, 'y'));
}

TEST(Disk, flips_a_bit_in_cache_and_on_the_medium) {
  EXPECT_EQ(after_crashes("f",
                          [](Disk& disk) {
                            const InodePtr file = make(disk, "f");
                            write(disk, file, 0, "aaa");
                            Disk::sync(*file);
                            disk.sync_directory("/");
                            disk.flip_bit("f", 1, 1);
                            EXPECT_EQ(text_of(disk, "f"), "aca");
                          }),
            (std::set<std::string>{"aca"}));
}

TEST(Disk, names_behave_as_in_posix) {
  Disk disk;
  InodePtr inode;
  EXPECT_EQ(disk.open("/a/f", OpenMode::create, 0, inode), ENOENT);
  EXPECT_EQ(disk.create_directories("/a/b"), 0);
  make(disk, "a/f");
  EXPECT_EQ(disk.open("./a/f", OpenMode::create_new, 0, inode), EEXIST);
  EXPECT_EQ(disk.create_directories("/a/f"), ENOTDIR);
  EXPECT_EQ(disk.remove("a"), ENOTEMPTY);
  EXPECT_EQ(disk.rename("a", "c"), 0);
  EXPECT_EQ(disk.files(), (std::vector<std::string>{"c/f"}));
  EXPECT_EQ(disk.rename("c/none", "c/x"), ENOENT);
}

}  // namespace
}  // namespace moldau::runtime::simulated
