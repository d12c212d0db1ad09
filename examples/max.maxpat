{
	"patcher" : {
		"fileversion" : 1,
		"rect" : [ 60.0, 80.0, 640.0, 320.0 ],
		"boxes" : [
			{ "box" : { "id" : "o1", "maxclass" : "comment", "numinlets" : 1, "numoutlets" : 0, "patching_rect" : [ 20.0, 14.0, 600.0, 48.0 ], "text" : "Receives what hearken sends to port 7400: hearken listen corpus.hkn --osc-to 127.0.0.1:7400. Not run by the tests of hearken, because Max is neither free nor for Linux. SPDX-License-Identifier: 0BSD" } },
			{ "box" : { "id" : "o2", "maxclass" : "newobj", "numinlets" : 1, "numoutlets" : 1, "outlettype" : [ "" ], "patching_rect" : [ 20.0, 80.0, 120.0, 22.0 ], "text" : "udpreceive 7400" } },
			{ "box" : { "id" : "o3", "maxclass" : "newobj", "numinlets" : 2, "numoutlets" : 2, "outlettype" : [ "", "" ], "patching_rect" : [ 20.0, 120.0, 140.0, 22.0 ], "text" : "route /hearken/match" } },
			{ "box" : { "id" : "o4", "maxclass" : "newobj", "numinlets" : 1, "numoutlets" : 12, "outlettype" : [ "int", "", "", "int", "float", "float", "int", "float", "float", "float", "", "" ], "patching_rect" : [ 20.0, 160.0, 560.0, 22.0 ], "text" : "unpack 0 s s 0 0. 0. 0 0. 0. 0. s s" } },
			{ "box" : { "id" : "o5", "maxclass" : "newobj", "numinlets" : 2, "numoutlets" : 1, "outlettype" : [ "" ], "patching_rect" : [ 220.0, 210.0, 80.0, 22.0 ], "text" : "pack 0. s" } },
			{ "box" : { "id" : "o6", "maxclass" : "newobj", "numinlets" : 1, "numoutlets" : 0, "patching_rect" : [ 220.0, 250.0, 80.0, 22.0 ], "text" : "print match" } }
		],
		"lines" : [
			{ "patchline" : { "source" : [ "o2", 0 ], "destination" : [ "o3", 0 ] } },
			{ "patchline" : { "source" : [ "o3", 0 ], "destination" : [ "o4", 0 ] } },
			{ "patchline" : { "source" : [ "o4", 4 ], "destination" : [ "o5", 0 ] } },
			{ "patchline" : { "source" : [ "o4", 10 ], "destination" : [ "o5", 1 ] } },
			{ "patchline" : { "source" : [ "o5", 0 ], "destination" : [ "o6", 0 ] } }
		]
	}
}
