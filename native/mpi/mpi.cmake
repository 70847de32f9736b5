# eat_dml_mpi.node, against the MPI of EAT_DML_MPICC: handles differ between MPIs, so an addon fits the one that it was built with.
enable_language(C)
set(MPI_C_COMPILER ${EAT_DML_MPICC})
find_package(MPI REQUIRED COMPONENTS C)
eat_dml_addon(eat_dml_mpi mpi/addon.cc mpi/arguments.cc mpi/collectives.cc mpi/communicator.cc mpi/engine.cc mpi/memory.cc mpi/results.cc)
target_link_libraries(eat_dml_mpi PRIVATE MPI::MPI_C)
