{
  # node-gyp's way to the CPU addon where cmake is missing: writes build/; cmake-js writes native/build/.
  'includes': ['native/addon.gypi']
}
