//! Which wheels, and which files of them: written by scripts/library_pins.

use super::{Member, Part};

pub const ONNX_RUNTIME: Part = Part {
    package: "onnxruntime",
    version: "1.32.0",
    wheel: "onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    bytes: 27_773_237,
    sha256: "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
    members: &[Member {
        path: "onnxruntime/capi/libonnxruntime.so.1.32.0",
        bytes: 34_824_680,
        sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
    }],
};

pub const ONNX_RUNTIME_GPU: Part = Part {
    package: "onnxruntime-gpu",
    version: "1.31.1",
    wheel: "onnxruntime_gpu-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    bytes: 255_560_985,
    sha256: "e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6",
    members: &[
        Member {
            path: "onnxruntime/capi/libonnxruntime.so.1.31.1",
            bytes: 29_421_832,
            sha256: "5104254339ecadae808da771bd0b63b240f0dbd466514234905e54372435c303",
        },
        Member {
            path: "onnxruntime/capi/libonnxruntime_providers_cuda.so",
            bytes: 284_014_752,
            sha256: "d5290158115fa5569a3fe8f1f4037ee9b0e86658a96e52f852bbb7039aa88137",
        },
        Member {
            path: "onnxruntime/capi/libonnxruntime_providers_shared.so",
            bytes: 14_632,
            sha256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d",
        },
    ],
};

pub const TORCH: Part = Part {
    package: "torch",
    version: "2.13.0",
    wheel: "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    bytes: 526_574_961,
    sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
    members: &[
        Member {
            path: "torch/lib/libc10.so",
            bytes: 1_623_185,
            sha256: "b83ea50e9171c7e3455c19f9ff2c7d21d457a7b8231e9c4ea1b6e032ae1156d5",
        },
        Member {
            path: "torch/lib/libgomp.so.1",
            bytes: 254_009,
            sha256: "e28fb2896a3d612b46a27d7f8ef840d34c9efbc29b70a044c42095fb94856890",
        },
        Member {
            path: "torch/lib/libtorch_cpu.so",
            bytes: 438_418_417,
            sha256: "096eed6e217377ccda4d50693b680e2771709c01f58fe52717835b017fed9c58",
        },
    ],
};

pub const TORCH_CUDA: Part = Part {
    package: "torch",
    version: "2.13.0",
    wheel: "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    bytes: 526_574_961,
    sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
    members: &[
        Member {
            path: "torch/lib/libc10.so",
            bytes: 1_623_185,
            sha256: "b83ea50e9171c7e3455c19f9ff2c7d21d457a7b8231e9c4ea1b6e032ae1156d5",
        },
        Member {
            path: "torch/lib/libc10_cuda.so",
            bytes: 634_081,
            sha256: "54da13d79545600a1822a72b179a58295c1915f8ea0194a89066437c3ac48c1a",
        },
        Member {
            path: "torch/lib/libcaffe2_nvrtc.so",
            bytes: 22_737,
            sha256: "359285ffd0b1a9509e537a66f68be20317b3c3bcebfcfcd9bd2c030b65cb40fd",
        },
        Member {
            path: "torch/lib/libgomp.so.1",
            bytes: 254_009,
            sha256: "e28fb2896a3d612b46a27d7f8ef840d34c9efbc29b70a044c42095fb94856890",
        },
        Member {
            path: "torch/lib/libtorch_cpu.so",
            bytes: 438_418_417,
            sha256: "096eed6e217377ccda4d50693b680e2771709c01f58fe52717835b017fed9c58",
        },
        Member {
            path: "torch/lib/libtorch_cuda.so",
            bytes: 469_850_385,
            sha256: "181dfc4fe86bf8eb4726604ea13b18581b15cf4d5f6e52f538daa41016edc19a",
        },
        Member {
            path: "torch/lib/libtorch_nvshmem.so",
            bytes: 4_007_569,
            sha256: "badf5e3f9fbb9f7b13e198318ffb6ff019808aacf46488ec09843f90a310541a",
        },
    ],
};

pub const CUDA_RUNTIME: Part = Part {
    package: "nvidia-cuda-runtime",
    version: "13.0.96",
    wheel: "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 2_243_632,
    sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
    members: &[Member {
        path: "nvidia/cu13/lib/libcudart.so.13",
        bytes: 704_288,
        sha256: "96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0",
    }],
};

pub const CUPTI: Part = Part {
    package: "nvidia-cuda-cupti",
    version: "13.0.85",
    wheel: "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
    bytes: 10_715_597,
    sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
    members: &[Member {
        path: "nvidia/cu13/lib/libcupti.so.13",
        bytes: 4_152_208,
        sha256: "e2f9ed861fe27c492b8bb52b5e3220ef5120f3edcda36312e96b7fd8a186be3e",
    }],
};

pub const CUBLAS: Part = Part {
    package: "nvidia-cublas",
    version: "13.1.1.3",
    wheel: "nvidia_cublas-13.1.1.3-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 423_138_758,
    sha256: "37936a16db8fe4ac1f065c2139360608a543a09275cb1a1af612e08cfa065436",
    members: &[
        Member {
            path: "nvidia/cu13/lib/libcublas.so.13",
            bytes: 54_177_976,
            sha256: "25cde432108543626df85d887c730bf2cab96803ca16f9654e4abc8d2b45833e",
        },
        Member {
            path: "nvidia/cu13/lib/libcublasLt.so.13",
            bytes: 541_607_888,
            sha256: "1489aeb75d55ee55782798343ac66f57771d561cc1fe1e0491568deefa0e6515",
        },
    ],
};

pub const CURAND: Part = Part {
    package: "nvidia-curand",
    version: "10.4.0.35",
    wheel: "nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 59_544_258,
    sha256: "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
    members: &[Member {
        path: "nvidia/cu13/lib/libcurand.so.10",
        bytes: 132_698_328,
        sha256: "b53732a66b302b11926e00f762e2c2ba67058347ff93cf4ae709de45e93e06da",
    }],
};

pub const CUFFT: Part = Part {
    package: "nvidia-cufft",
    version: "12.0.0.61",
    wheel: "nvidia_cufft-12.0.0.61-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 214_085_489,
    sha256: "6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3",
    members: &[Member {
        path: "nvidia/cu13/lib/libcufft.so.12",
        bytes: 286_542_352,
        sha256: "0933f68bb7e3bf90f86d70bc87cd2f69027f7757e89e5de5e19ec33a53fd8d3a",
    }],
};

pub const NVRTC: Part = Part {
    package: "nvidia-cuda-nvrtc",
    version: "13.0.88",
    wheel: "nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    bytes: 90_215_200,
    sha256: "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
    members: &[
        Member {
            path: "nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
            bytes: 4_380_616,
            sha256: "91dcd944d01da9c0f08fff5d779db136a47f6d62bdb63bae900d2f481e92c3a2",
        },
        Member {
            path: "nvidia/cu13/lib/libnvrtc.so.13",
            bytes: 109_338_064,
            sha256: "a49e67e8e74590f1e98de55c39c6287efd3f59e3c3797464d7bbe0fe01349b11",
        },
    ],
};

pub const NVJITLINK: Part = Part {
    package: "nvidia-nvjitlink",
    version: "13.0.88",
    wheel: "nvidia_nvjitlink-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    bytes: 40_713_933,
    sha256: "13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b",
    members: &[Member {
        path: "nvidia/cu13/lib/libnvJitLink.so.13",
        bytes: 98_806_736,
        sha256: "931347fa77d9fd5511059e04627f122b1ee33e409f22c3273ddddbe065713a3a",
    }],
};

pub const CUDNN: Part = Part {
    package: "nvidia-cudnn-cu13",
    version: "9.20.0.48",
    wheel: "nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl",
    bytes: 366_173_588,
    sha256: "0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304",
    members: &[
        Member {
            path: "nvidia/cudnn/lib/libcudnn.so.9",
            bytes: 129_240,
            sha256: "b88025af76979b3f1af208790195093684fe01cb8d190528856058f988016660",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_adv.so.9",
            bytes: 109_169_104,
            sha256: "7702094a50dbea5b8244df01af8e9d3565309d3996bbc8ca96b6c7a207d2d6bd",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_cnn.so.9",
            bytes: 4_203_904,
            sha256: "e830c5cba875ebeb8ed3cfde5cc038a2703692ce714a8a4ff28666ac8e2c5732",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9",
            bytes: 245_391_920,
            sha256: "e5133109f710c215d72fdc8f1d9be187f4760f5f32e57cc8c57515ea9e91455e",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9",
            bytes: 29_386_664,
            sha256: "28db2a6f433a184e264d927b183c47ecaf72dc65ed58245a6d2380f980e29cd3",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_graph.so.9",
            bytes: 4_460_192,
            sha256: "35c099d318433a88d292775676a51a07d2dd152c3ae799b1c21a75b40f78e456",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_heuristic.so.9",
            bytes: 60_822_040,
            sha256: "a41eb9baa9ccc9e2d6c9f2ca226021b54c8ee2df4abf3a91e41687847b481228",
        },
        Member {
            path: "nvidia/cudnn/lib/libcudnn_ops.so.9",
            bytes: 39_855_888,
            sha256: "705d3dcf9b209fdbeeecd8aaec5fcd0f6f55de5661e1c1388b5a4b8fd29db7c3",
        },
    ],
};

pub const CUSPARSE: Part = Part {
    package: "nvidia-cusparse",
    version: "12.6.3.3",
    wheel: "nvidia_cusparse-12.6.3.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 145_942_937,
    sha256: "2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b",
    members: &[Member {
        path: "nvidia/cu13/lib/libcusparse.so.12",
        bytes: 162_565_256,
        sha256: "09339f848f60bb1111a61ee0fe91ed0c25132b7ff63298244d7ac14e61b58466",
    }],
};

pub const CUSPARSELT: Part = Part {
    package: "nvidia-cusparselt-cu13",
    version: "0.8.1",
    wheel: "nvidia_cusparselt_cu13-0.8.1-py3-none-manylinux2014_x86_64.whl",
    bytes: 170_148_586,
    sha256: "786ce87568c303fadb5afcc7102d454cd3040d75f6f8626f5db460d1871f4dd0",
    members: &[Member {
        path: "nvidia/cusparselt/lib/libcusparseLt.so.0",
        bytes: 233_912_153,
        sha256: "e2bcea98434bdfc6399b5e0d1db14178079df62f9527c183c835a7ae196d5685",
    }],
};

pub const CUFILE: Part = Part {
    package: "nvidia-cufile",
    version: "1.15.1.6",
    wheel: "nvidia_cufile-1.15.1.6-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 1_223_672,
    sha256: "08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44",
    members: &[Member {
        path: "nvidia/cu13/lib/libcufile.so.0",
        bytes: 3_170_800,
        sha256: "1ecaf17d38957a41473a7fc8f29d569579e2a9079a26c4d9b89d8da330051483",
    }],
};

pub const NCCL: Part = Part {
    package: "nvidia-nccl-cu13",
    version: "2.29.7",
    wheel: "nvidia_nccl_cu13-2.29.7-py3-none-manylinux_2_18_x86_64.whl",
    bytes: 205_976_000,
    sha256: "edd81538446786ec3b73972543e53bb43bcaf0bfc8ef76cb679fcc390ffe136d",
    members: &[Member {
        path: "nvidia/nccl/lib/libnccl.so.2",
        bytes: 236_524_880,
        sha256: "aa957cdfb91b516eae0d54a28e9ee5db52730d02e0ab45580efc3c19a68327a4",
    }],
};

pub const NVSHMEM: Part = Part {
    package: "nvidia-nvshmem-cu13",
    version: "3.4.5",
    wheel: "nvidia_nvshmem_cu13-3.4.5-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    bytes: 60_412_546,
    sha256: "290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80",
    members: &[Member {
        path: "nvidia/nvshmem/lib/libnvshmem_host.so.3",
        bytes: 41_241_312,
        sha256: "c43004bb93053aa70603a204fe0c9052bdd29f38822d3048599183f8d5930d8f",
    }],
};
