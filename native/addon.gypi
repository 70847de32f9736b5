{
  # The CPU addon for node-gyp. sources.txt is the one list of sources; CMakeLists.txt reads it too.
  # Paths are from the folder of binding.gyp: gyp builds no absolute ones.
  'targets': [{
    'target_name': 'eat_dml',
    'sources': ['<!@(node -p "require(\'fs\').readFileSync(\'native/sources.txt\', \'utf8\').trim().split(/\s+/).map((s) => \'native/\' + s).join(\' \')")'],
    'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
    'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_CPP_EXCEPTIONS', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
    'cflags!': ['-O2', '-fno-exceptions'],
    'cflags_cc!': ['-O2', '-fno-exceptions', '-fno-rtti', '-std=gnu++20', '-std=gnu++17'],
    'cflags_cc': ['-std=c++17', '-O3', '-fexceptions', '-frtti', '-ffp-contract=off', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'ldflags': ['-pthread'],
    'conditions': [['OS=="linux"', {'libraries': ['-ldl']}]],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'GCC_OPTIMIZATION_LEVEL': '3',
      'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
      'OTHER_CPLUSPLUSFLAGS': ['-ffp-contract=off', '-fvisibility=hidden']
    }
  }]
}
