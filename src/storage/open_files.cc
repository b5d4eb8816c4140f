#include "storage/open_files.h"

#include "base/assert.h"

namespace moldau::storage {

OpenFiles::OpenFiles(runtime::FileSystem& files, size_t limit) : files_(files), limit_(limit) {
  MOLDAU_ASSERT_MSG(limit >= 4, "one segment needs its log and three indexes");
}

OpenFiles::~OpenFiles() { MOLDAU_ASSERT_MSG(open_count_ == 0, "a log outlived the cache of its files"); }

void OpenFiles::insert(CachedFile& slot) {
  slot.older_ = newest_;
  slot.newer_ = nullptr;
  if (newest_ != nullptr) newest_->newer_ = &slot;
  newest_ = &slot;
  if (oldest_ == nullptr) oldest_ = &slot;
  ++open_count_;
  while (open_count_ > limit_) oldest_->close();
}

void OpenFiles::remove(CachedFile& slot) {
  (slot.newer_ != nullptr ? slot.newer_->older_ : newest_) = slot.older_;
  (slot.older_ != nullptr ? slot.older_->newer_ : oldest_) = slot.newer_;
  slot.newer_ = slot.older_ = nullptr;
  --open_count_;
}

void OpenFiles::touch(CachedFile& slot) {
  if (newest_ == &slot) return;
  remove(slot);
  insert(slot);
}

runtime::task<runtime::io_result<runtime::FilePtr>> CachedFile::open(std::string path, runtime::OpenMode mode) {
  MOLDAU_CO_TRY(runtime::FilePtr opened, co_await cache_->files().open(std::move(path), mode));
  if (file_ == nullptr) {
    file_ = opened;
    cache_->insert(*this);
  }
  co_return opened;
}

void CachedFile::keep_open() {
  if (file_ == nullptr || is_kept_) return;
  cache_->remove(*this);
  is_kept_ = true;
}

void CachedFile::close() {
  if (file_ == nullptr) return;
  if (!is_kept_) cache_->remove(*this);
  is_kept_ = false;
  file_.reset();
}

}  // namespace moldau::storage
