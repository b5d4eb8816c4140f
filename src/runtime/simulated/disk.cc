#include "runtime/simulated/disk.h"

#include <algorithm>
#include <cerrno>

namespace moldau::runtime::simulated {

namespace {

InodePtr make_directory() {
  auto directory = std::make_shared<Inode>();
  directory->is_directory = true;
  return directory;
}

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    if (end > at && path.compare(at, end - at, ".") != 0) names.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

void carry_out(Inode::Entries& entries, const Inode::Change& change) {
  if (!change.removed.empty()) entries.erase(change.removed);
  if (!change.added.empty()) entries[change.added] = change.inode;
}

void change(Inode& directory, Inode::Change change) {
  carry_out(directory.entries, change);
  directory.changes.push_back(std::move(change));
}

// Adds every inode that can be reached, by what is seen and by what is kept, once; in an order that does not depend on
// where they are in memory.
void collect(const InodePtr& from, std::set<const Inode*>& met, std::vector<Inode*>& found) {
  if (!met.insert(from.get()).second) return;
  found.push_back(from.get());
  for (const auto& [name, inner] : from->entries) collect(inner, met, found);
  for (const auto& [name, inner] : from->kept_entries) collect(inner, met, found);
  for (const Inode::Change& each : from->changes)
    if (each.inode) collect(each.inode, met, found);
}

// Which part of what was not synced survives a crash: all, nothing, or each piece by a toss.
double survival(Random& random) {
  switch (random.below(4)) {
    case 0: return 0;
    case 1: return 1;
    default: return static_cast<double>(random.below(1000)) / 1000;
  }
}

void copy_kept(Bytes& kept, const Bytes& seen, uint64_t position, uint64_t size) {
  std::copy_n(seen.begin() + static_cast<ptrdiff_t>(position), size, kept.begin() + static_cast<ptrdiff_t>(position));
}

void crash_file(Inode& file, Random& random) {
  SectorSet unsure = file.dirty;
  uint64_t least = file.least_size_bytes;
  for (const SyncUnderWay& sync : file.syncs) {
    unsure.add(sync.sectors);
    least = std::min(least, sync.least_size_bytes);
  }
  const bool was_cut = least < file.kept.size();
  const bool cut_is_lost = was_cut && random.chance(0.5);
  if (!cut_is_lost) {
    if (was_cut) file.kept.resize(least);
    if (file.seen.size() > file.kept.size() && !unsure.empty()) {
      const uint64_t growth = file.seen.size() - file.kept.size();
      const uint64_t grown = random.chance(0.3) ? 0 : random.chance(0.5) ? growth : random.below(growth + 1);
      file.kept.resize(file.kept.size() + grown);
    }
    const double part = survival(random);
    unsure.for_each_sector(std::min(file.kept.size(), file.seen.size()), [&](uint64_t position, uint64_t size) {
      if (random.chance(part)) copy_kept(file.kept, file.seen, position, size);
    });
  }
  file.seen = file.kept;
  file.dirty.clear();
  file.syncs.clear();
  file.least_size_bytes = file.kept.size();
}

void crash_directory(Inode& directory, Random& random) {
  const size_t surviving = random.chance(0.5) ? 0 : random.below(directory.changes.size() + 1);
  for (size_t i = 0; i < surviving; ++i) carry_out(directory.kept_entries, directory.changes[i]);
  directory.changes.clear();
  directory.entries = directory.kept_entries;
}

}  // namespace

Disk::Disk() : root_(make_directory()) {}

int Disk::find(const std::string& path, InodePtr& found) const {
  found = root_;
  for (const std::string& name : names_of(path)) {
    if (!found->is_directory) return ENOTDIR;
    const auto entry = found->entries.find(name);
    if (entry == found->entries.end()) return ENOENT;
    found = InodePtr(entry->second);
  }
  return 0;
}

int Disk::parent_of(const std::string& path, InodePtr& parent, std::string& name) const {
  const std::vector<std::string> names = names_of(path);
  if (names.empty()) return EINVAL;
  name = names.back();
  std::string above;
  for (size_t i = 0; i + 1 < names.size(); ++i) above += "/" + names[i];
  if (const int error = find(above, parent)) return error;
  return parent->is_directory ? 0 : ENOTDIR;
}

int Disk::open(const std::string& path, OpenMode mode, int64_t now_ms, InodePtr& opened) {
  InodePtr parent;
  std::string name;
  if (const int error = parent_of(path, parent, name)) return error;
  const auto entry = parent->entries.find(name);
  if (entry == parent->entries.end()) {
    if (mode == OpenMode::read || mode == OpenMode::read_write) return ENOENT;
    if (free_bytes() == 0) return ENOSPC;
    opened = std::make_shared<Inode>();
    opened->modified_ms = opened->changed_ms = now_ms;
    change(*parent, {.removed = {}, .added = name, .inode = opened});
    return 0;
  }
  if (mode == OpenMode::create_new) return EEXIST;
  if (entry->second->is_directory) return EISDIR;
  opened = entry->second;
  if (mode == OpenMode::truncate && !opened->seen.empty()) return truncate(*opened, 0, now_ms);
  return 0;
}

int Disk::rename(const std::string& from, const std::string& to) {
  InodePtr from_parent;
  InodePtr to_parent;
  std::string from_name;
  std::string to_name;
  if (const int error = parent_of(from, from_parent, from_name)) return error;
  if (const int error = parent_of(to, to_parent, to_name)) return error;
  const auto entry = from_parent->entries.find(from_name);
  if (entry == from_parent->entries.end()) return ENOENT;
  const InodePtr moved = entry->second;
  const auto target = to_parent->entries.find(to_name);
  if (target != to_parent->entries.end()) {
    if (target->second == moved) return 0;
    if (target->second->is_directory != moved->is_directory) return moved->is_directory ? ENOTDIR : EISDIR;
    if (!target->second->entries.empty()) return ENOTEMPTY;
  }
  if (from_parent == to_parent) {
    change(*from_parent, {.removed = from_name, .added = to_name, .inode = moved});
  } else {
    change(*to_parent, {.removed = {}, .added = to_name, .inode = moved});
    change(*from_parent, {.removed = from_name, .added = {}, .inode = nullptr});
  }
  return 0;
}

int Disk::remove(const std::string& path) {
  InodePtr parent;
  std::string name;
  if (const int error = parent_of(path, parent, name)) return error;
  const auto entry = parent->entries.find(name);
  if (entry == parent->entries.end()) return ENOENT;
  if (!entry->second->entries.empty()) return ENOTEMPTY;
  change(*parent, {.removed = name, .added = {}, .inode = nullptr});
  return 0;
}

int Disk::create_directories(const std::string& path) {
  InodePtr at = root_;
  for (const std::string& name : names_of(path)) {
    if (!at->is_directory) return ENOTDIR;
    const auto entry = at->entries.find(name);
    if (entry == at->entries.end()) {
      if (free_bytes() == 0) return ENOSPC;
      change(*at, {.removed = {}, .added = name, .inode = make_directory()});
    }
    at = InodePtr(at->entries.at(name));
  }
  return at->is_directory ? 0 : ENOTDIR;
}

int Disk::sync_directory(const std::string& path) {
  InodePtr directory;
  if (const int error = find(path, directory)) return error;
  if (!directory->is_directory) return ENOTDIR;
  directory->kept_entries = directory->entries;
  directory->changes.clear();
  return 0;
}

int Disk::list(const std::string& path, std::vector<DirectoryEntry>& entries) const {
  InodePtr directory;
  if (const int error = find(path, directory)) return error;
  if (!directory->is_directory) return ENOTDIR;
  for (const auto& [name, inode] : directory->entries) entries.push_back({name, inode->is_directory});
  return 0;
}

int Disk::status(const std::string& path, FileStatus& status) const {
  InodePtr inode;
  if (const int error = find(path, inode)) return error;
  status = {.size_bytes = inode->seen.size(), .modified_ms = inode->modified_ms, .changed_ms = inode->changed_ms, .is_directory = inode->is_directory};
  return 0;
}

int Disk::set_modified_ms(const std::string& path, int64_t modified_ms) {
  InodePtr inode;
  if (const int error = find(path, inode)) return error;
  inode->modified_ms = modified_ms;
  return 0;
}

size_t Disk::read(const Inode& file, uint64_t position, MutableByteView into) {
  if (position >= file.seen.size()) return 0;
  const size_t size = std::min<size_t>(into.size(), file.seen.size() - position);
  std::copy_n(file.seen.begin() + static_cast<ptrdiff_t>(position), size, into.begin());
  return size;
}

int Disk::write(Inode& file, uint64_t position, ByteView bytes, int64_t now_ms) {
  int error = 0;
  const uint64_t end = position + bytes.size();
  if (end > file.seen.size()) {
    const uint64_t growth = end - file.seen.size();
    const uint64_t room = free_bytes();
    if (growth > room) {
      const uint64_t reachable = file.seen.size() + room;
      bytes = bytes.first(reachable > position ? reachable - position : 0);
      error = ENOSPC;
    }
  }
  if (bytes.empty()) return error;
  const uint64_t written_end = position + bytes.size();
  if (written_end > file.seen.size()) {
    file.dirty.add_bytes(file.seen.size(), written_end);  // a hole in between counts as zeros written
    file.seen.resize(written_end);
  }
  std::copy(bytes.begin(), bytes.end(), file.seen.begin() + static_cast<ptrdiff_t>(position));
  file.dirty.add_bytes(position, written_end);
  file.modified_ms = file.changed_ms = now_ms;
  return error;
}

int Disk::truncate(Inode& file, uint64_t size_bytes, int64_t now_ms) {
  if (size_bytes > file.seen.size()) {
    if (size_bytes - file.seen.size() > free_bytes()) return ENOSPC;
    file.dirty.add_bytes(file.seen.size(), size_bytes);
  }
  file.seen.resize(size_bytes);
  file.least_size_bytes = std::min<uint64_t>(file.least_size_bytes, size_bytes);
  file.modified_ms = file.changed_ms = now_ms;
  return 0;
}

SyncUnderWay& Disk::begin_sync(Inode& file) {
  SyncUnderWay& sync = file.syncs.emplace_back();
  sync.sectors = std::exchange(file.dirty, {});
  sync.size_bytes = file.seen.size();
  sync.least_size_bytes = std::exchange(file.least_size_bytes, file.seen.size());
  return sync;
}

// A sync waits for what those before it have under way, so that one of them that ends later has nothing left to do.
void Disk::end_sync(Inode& file, SyncUnderWay& sync) {
  for (SyncUnderWay& each : file.syncs) {
    if (each.least_size_bytes < file.kept.size()) file.kept.resize(each.least_size_bytes);
    if (each.size_bytes > file.kept.size()) file.kept.resize(each.size_bytes);
    each.sectors.for_each_range(std::min<uint64_t>({file.kept.size(), file.seen.size(), each.size_bytes}),
                                [&](uint64_t position, uint64_t size) { copy_kept(file.kept, file.seen, position, size); });
    if (&each == &sync) break;
    each = {.sectors = {}, .size_bytes = 0, .least_size_bytes = UINT64_MAX};
  }
  file.syncs.remove_if([&](const SyncUnderWay& each) { return &each == &sync; });
}

void Disk::fail_sync(Inode& file, SyncUnderWay& sync) {
  // The size is metadata and went through the journal; the pages did not, and nobody remembers that.
  if (sync.least_size_bytes < file.kept.size()) file.kept.resize(sync.least_size_bytes);
  if (sync.size_bytes > file.kept.size()) file.kept.resize(sync.size_bytes);
  file.syncs.remove_if([&](const SyncUnderWay& each) { return &each == &sync; });
}

void Disk::crash(Random& random) {
  std::set<const Inode*> met;
  std::vector<Inode*> inodes;
  collect(root_, met, inodes);
  for (Inode* inode : inodes)
    if (!inode->is_directory) crash_file(*inode, random);
  std::vector<InodePtr> owned{root_};  // directories only lose entries of their own, so each is still there in its turn
  for (size_t i = 0; i < owned.size(); ++i) {
    crash_directory(*owned[i], random);
    for (const auto& [name, inner] : owned[i]->entries)
      if (inner->is_directory) owned.push_back(inner);
  }
  locked.clear();
}

void Disk::end_of_process() {
  std::set<const Inode*> met;
  std::vector<Inode*> inodes;
  collect(root_, met, inodes);
  for (Inode* inode : inodes) {
    for (const SyncUnderWay& sync : inode->syncs) {
      inode->dirty.add(sync.sectors);
      inode->least_size_bytes = std::min(inode->least_size_bytes, sync.least_size_bytes);
    }
    inode->syncs.clear();
  }
  locked.clear();
}

void Disk::flip_bit(const std::string& path, uint64_t byte, int bit) {
  InodePtr file;
  MOLDAU_ASSERT(find(path, file) == 0 && byte < file->seen.size());
  const auto mask = static_cast<std::byte>(1 << bit);
  file->seen[byte] ^= mask;
  if (byte < file->kept.size()) file->kept[byte] ^= mask;
}

std::vector<std::string> Disk::files(const std::string& path) const {
  std::vector<std::string> found;
  InodePtr directory;
  if (find(path, directory) != 0 || !directory->is_directory) return found;
  for (const auto& [name, inode] : directory->entries) {
    const std::string inner = path.empty() ? name : path + "/" + name;
    if (inode->is_directory) {
      for (std::string& each : files(inner)) found.push_back(std::move(each));
    } else {
      found.push_back(inner);
    }
  }
  return found;
}

namespace {
void files_below(const Inode& directory, std::vector<InodePtr>& into) {
  for (const auto& [name, inode] : directory.entries) {
    if (inode->is_directory)
      files_below(*inode, into);
    else
      into.push_back(inode);
  }
}
void sync_directories_from(Inode& directory) {
  directory.kept_entries = directory.entries;
  directory.changes.clear();
  for (const auto& [name, inode] : directory.entries)
    if (inode->is_directory) sync_directories_from(*inode);
}
uint64_t size_below(const Inode& inode) {
  uint64_t size = inode.seen.size();
  for (const auto& [name, inner] : inode.entries) size += size_below(*inner);
  return size;
}
}  // namespace

std::vector<InodePtr> Disk::every_file() const {
  std::vector<InodePtr> found;
  files_below(*root_, found);
  return found;
}

void Disk::sync_all_directories() { sync_directories_from(*root_); }

uint64_t Disk::used_bytes() const { return size_below(*root_); }

uint64_t Disk::free_bytes() const {
  if (capacity_bytes == UINT64_MAX) return 1ULL << 40;
  const uint64_t used = used_bytes();
  return used < capacity_bytes ? capacity_bytes - used : 0;
}

}  // namespace moldau::runtime::simulated
