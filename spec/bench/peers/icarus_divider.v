// A clock and a chain of 16 flip-flops, each of which toggles when the one before it falls. +edges=N ends it after so
// many edges of the clock; +vcd writes a trace of all nets to /dev/null.
`timescale 1us/1us

module flip_flop(input clock, output reg q);
  initial q = 0;
  always @(negedge clock) q <= ~q;
endmodule

module divider;
  parameter STAGES = 16;
  reg clock = 0;
  wire [STAGES:0] q;
  reg [63:0] edges = 0;
  genvar i;

  assign q[0] = clock;
  generate
    for (i = 0; i < STAGES; i = i + 1) begin : stage
      flip_flop f(.clock(q[i]), .q(q[i + 1]));
    end
  endgenerate

  always #1 clock = ~clock;

  initial begin
    if ($value$plusargs("edges=%d", edges)) ;
    if ($test$plusargs("vcd")) begin
      $dumpfile("/dev/null");
      $dumpvars(0, divider);
    end
    #(edges) $finish;
  end
endmodule
