# The sanitizers' builds compile ten sources as one (CMAKE_UNITY_BUILD in CMakePresets.json): most of a compiler's time goes to
# headers and to templates that every source makes anew. Sources that would see each other's names stay alone. Whoever gets an
# error about a name defined twice from a file unity_*.cxx adds one of the two here; the other builds never see it.
set(moldau_compiled_alone
  admin/http_server_test.cc
  broker/directory_set.cc broker/fetch_read.cc broker/fetch_session.cc broker/group_routing.cc
  broker/handlers/create_partitions.cc broker/handlers/create_topics.cc broker/handlers/delete_topics.cc
  broker/handlers/describe_producers.cc broker/handlers/list_offsets.cc broker/handlers/offset_commit.cc broker/handlers/produce.cc
  controller/partition_change.cc
  metadata/config/config_checks.cc metadata/config/describe_configs.cc metadata/image_test.cc metadata/metadata_response.cc metadata/random_log_test.cc
  protocol/codec_zstd.cc protocol/legacy_batch.cc
  raft/voters.cc
  server/partial_access_test.cc server/registration_test.cc
  storage/compaction/batch_filter.cc)
if(CMAKE_UNITY_BUILD)
  list(TRANSFORM moldau_compiled_alone PREPEND ${CMAKE_SOURCE_DIR}/src/)
  set_source_files_properties(${moldau_compiled_alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endif()
