local names = require "sentinel1.names"

test("OPERA products tell track, burst, time, platform, spacing", function()
  local e = names.parse "a/OPERA_L2_RTC-S1_T137-292318-IW2_20231227T015904Z_20231227T112953Z_S1A_30_v1.0_VV.tif"
  assert(e.kind == "polarisation" and e.layer == "VV" and e.unit == "power")
  assert(e.relative_orbit == 137 and e.burst == "T137-292318-IW2" and e.platform == "S1A" and e.mode == "IW")
  assert(e.time == "2023-12-27T01:59:04Z" and e.spacing == 30 and e.processed == "20231227T112953")
  local mask = names.parse "OPERA_L2_RTC-S1_T137-292318-IW2_20231227T015904Z_20231227T112953Z_S1A_30_v1.0_mask.tif"
  assert(mask.kind == "other")
  local static = names.parse "OPERA_L2_RTC-S1-STATIC_T069-147170-IW1_20140403_S1A_30_v1.0_local_incidence_angle.tif"
  assert(static.kind == "static" and static.layer == "local_incidence_angle" and static.burst == "T069-147170-IW1")
end)

test("names of Earth Engine's images tell the relative orbit", function()
  -- From the catalogue: orbit 21371 of S1A is relative orbit 124, 11036 of S1B is 160.
  local a = names.parse "S1A_IW_GRDH_1SDV_20180408T043025_20180408T043053_021371_024C9B_1B70.tif"
  assert(a.kind == "bands" and a.platform == "S1A" and a.mode == "IW" and a.time == "2018-04-08T04:30:25Z")
  assert(a.relative_orbit == 124, a.relative_orbit)
  assert(names.relative_orbit(11036, "S1B") == 160)
  assert(names.relative_orbit(11036, "S1X") == nil)
end)

test("generic pairs belong together by what is left of their names", function()
  local vv, vh = names.parse "d/S1_20200103_VV_10m.tif", names.parse "d/S1_20200103_VH_10m.tif"
  assert(vv.kind == "polarisation" and vv.layer == "VV" and vh.layer == "VH" and vv.scene == vh.scene)
  assert(vv.time == "2020-01-03")
  assert(names.parse("e/S1_20200103_VH_10m.tif").scene ~= vv.scene)
  local db = names.parse "S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif"
  assert(db.unit == "dB" and db.platform == "S1A" and db.time == "2015-03-09T17:30:17Z" and db.layer == "VV")
  local angle = names.parse "d/S1_20200103_angle_10m.tif"
  assert(angle.layer == "angle" and angle.scene == vv.scene)
  assert(names.parse("x_2021-07-04_vv.tif").time == "2021-07-04")
  assert(names.parse("x_99999999_vv.tif").time == nil)
  -- A word that only holds the letters is no polarisation.
  assert(names.parse("VVillage_20200103.tif").kind == "bands")
end)

test("patterns name the parts", function()
  local e = names.parse("d/p131_vh_a_20200103.tif", "p{relative_orbit}_{polarisation}_{pass}_{date:yyyymmdd}.tif")
  assert(e.relative_orbit == 131 and e.layer == "VH" and e.pass == "ASCENDING" and e.time == "2020-01-03")
  assert(names.parse("other.tif", "p{relative_orbit}.tif").kind == "other")
end)

test("the product processed last counts", function()
  local function path(processed, layer)
    return ("f/OPERA_L2_RTC-S1_T137-292318-IW2_20231227T015904Z_%s_S1A_30_v1.0_%s.tif"):format(processed, layer)
  end
  local scenes = names.scenes({
    path("20231227T112953Z", "VH"), path("20231227T112953Z", "VV"), path("20240101T000000Z", "VH"), path("20240101T000000Z", "VV"),
  }, {})
  assert(#scenes == 1 and scenes[1].files.VV == path("20240101T000000Z", "VV") and scenes[1].files.VH == path("20240101T000000Z", "VH"))
end)

test("names of HyP3 tell unit and angle, those of pyroSAR the pass", function()
  local function hyp3(layer) return names.parse("S1A_IW_20180128T161201_DVP_RTC30_G_gpuned_FD6A_" .. layer .. ".tif") end
  assert(hyp3("VV").unit == "power" and hyp3("VV").layer == "VV" and hyp3("VV").time == "2018-01-28T16:12:01Z")
  assert(hyp3("inc_map").layer == "angle" and hyp3("inc_map").angle_unit == "rad" and hyp3("inc_map").scene == hyp3("VV").scene)
  assert(hyp3("dem").kind == "bands")
  assert(names.parse("S1A_IW_20180128T161201_DVP_RTC30_G_gdunem_FD6A_VH.tif").unit == "dB")
  local s1 = require "sentinel1"
  assert(s1.parse_name("S1A__IW___D_20150309T173017_VV_grd_mli_geo_norm_db.tif").pass == "DESCENDING")
  assert(s1.parse_name("x/S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif").unit == "dB")
end)
